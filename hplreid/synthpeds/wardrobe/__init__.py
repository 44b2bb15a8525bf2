"""Who a rendered pedestrian is and wears: words, colors in Lab space, identities.

The shape of body and clothes lives in ``figure``, the sentences in ``captions``.
"""
