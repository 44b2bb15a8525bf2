"""Trained models put to use: loaded, published, asked for features, and searched with.

What stands here is the public face of the package; ``hplreid`` exports it, too. Nothing
here trains or scores: that is in ``engine``.
"""
