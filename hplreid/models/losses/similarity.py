"""Similarity of two sets of features, as logits of a softmax."""

import torch.nn.functional as F
from torch import Tensor

from hplreid.utils.argument_checks import check_one_of, check_positive

SIMILARITIES = ('cosine', 'dot')

DEFAULT_TAU = {
    'cosine': 0.02,  # as IRRA's SDM: cosine logits in [-1, 1] alone hardly separate
    'dot': 1.0,  # as CLIP-ReID: the norms of CLIP features do the scaling
}


def similarity_logits(
    a: Tensor, b: Tensor, similarity: str = 'cosine', tau: float | Tensor = 1.0
) -> Tensor:
    """Return ``s(a_i, b_j) / tau``.

    Args:
        a: ``(N, C)``.
        b: ``(M, C)``.
        similarity: ``'cosine'`` or ``'dot'``.
        tau: Temperature.

    Returns:
        ``(N, M)``.

    Raises:
        ValueError: ``similarity`` is neither of the two.
    """
    check_one_of('similarity', similarity, SIMILARITIES)
    if similarity == 'cosine':
        a, b = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    return a @ b.t() / tau


def resolve_tau(similarity: str, tau: float | None) -> float:
    """Return ``tau``, or the usual one of ``similarity`` where it is None.

    Raises:
        ValueError: An argument has no legal value.
    """
    check_one_of('similarity', similarity, SIMILARITIES)
    if tau is None:
        return DEFAULT_TAU[similarity]
    check_positive('tau', tau)
    return tau
