"""Why a model finds what it finds: relevance of patches and words, and its faithfulness.

``recording`` keeps the attention of a forward pass, ``kinds`` and ``propagation`` are
the arithmetic, ``routes`` the way through each method; ``explainer`` and ``words`` use
them. ``faithfulness`` and ``pointing`` measure maps. What draws them is in ``drawing``.
"""
