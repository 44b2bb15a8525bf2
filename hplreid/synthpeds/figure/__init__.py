"""The body and its clothes in three dimensions: pose, skeleton, signed distances.

How a figure is seen lives in ``camera``; what it wears is decided in ``wardrobe``.
"""
