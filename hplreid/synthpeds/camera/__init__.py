"""What a camera sees and records: rays, materials, light, backdrops, occluders, noise.

What there is to see lives in ``figure``.
"""
