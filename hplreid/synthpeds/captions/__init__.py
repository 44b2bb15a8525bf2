"""Sentences about what an image shows, and about nothing else.

Which words describe an identity is decided in ``wardrobe``.
"""
