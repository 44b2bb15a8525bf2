"""Precision at a match, by either definition of average precision."""

import numpy as np

AP_DEFINITIONS = ('step', 'trapezoid')


def precision_at(hits: np.ndarray, ranks: np.ndarray, definition: str) -> np.ndarray:
    """Return the precision at each match, whose mean is average precision.

    ``'step'`` is the precision there, ``n / r`` for the n-th match at rank r:
    the definition of information retrieval and of nearly every paper since 2017.
    ``'trapezoid'`` is the mean of it and of the precision one rank earlier,
    ``(n - 1) / (r - 1)``, or 1 before the first rank: the area under straight lines,
    as Oxford Buildings defined it (Philbin et al., CVPR 2007, ``compute_ap``) and the
    code of Market-1501 took it over (Zheng et al., ICCV 2015). It is never higher.

    Args:
        hits: n, from 1, ``(P,)``.
        ranks: r, from 1, ``(P,)``.
        definition: ``'step'`` or ``'trapezoid'``.
    """
    precision = hits / ranks
    if definition == 'step':
        return precision
    earlier = np.where(ranks > 1, (hits - 1) / np.maximum(ranks - 1, 1), 1.0)
    return (precision + earlier) / 2
