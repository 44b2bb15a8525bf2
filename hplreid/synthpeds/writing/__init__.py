"""A whole dataset on disk: which images, in which layout, by how many processes.

What a single image looks like is decided in ``person_image``.
"""
