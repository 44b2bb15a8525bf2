"""Classification of an image by the prompts of all identities."""

from torch import Tensor, nn

from hplreid.registry import LOSSES
from hplreid.utils.argument_checks import check_fraction, check_one_of

from ..layers.full_precision import full_precision
from .cross_entropy import REDUCTIONS, cross_entropy
from .similarity import resolve_tau, similarity_logits


@full_precision
def prompt_id_loss(
    features: Tensor,
    table: Tensor,
    labels: Tensor,
    similarity: str = 'cosine',
    tau: float = 1.0,
    reduce: str = 'mean',
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of similarities with the prompts of all training identities.

    HPL Eq. 11, ``-sum_i log(exp s(u_i, r_yi) / sum_j exp s(u_i, r_j))``; the paper
    has the cosine, no temperature (1) and the sum over the batch.

    Args:
        features: u, ``(N, C)``.
        table: Prompts r of all identities, ``(num_ids, C)``.
        labels: ``(N,)`` int64 in ``[0, num_ids)``.
        similarity: ``'cosine'`` or ``'dot'``.
        tau: Temperature.
        reduce: ``'mean'`` or ``'sum'`` over rows.
        label_smoothing: Share of the target spread over all identities.

    Returns:
        Scalar.

    Raises:
        ValueError: No such similarity or reduction, or the inputs have no rows or not
            equally many.

    Example:
        >>> import torch
        >>> from hplreid.models.losses import prompt_id_loss
        >>> prompts = torch.eye(2)
        >>> prompt_id_loss(prompts, prompts, torch.arange(2))  # ln(1 + 1/e)
        tensor(0.3133)
    """
    logits = similarity_logits(features, table, similarity, tau)
    return cross_entropy(logits, labels, label_smoothing, reduce)


@LOSSES.register_module()
class PromptIDLoss(nn.Module):
    """:func:`prompt_id_loss` with its options.

    Args:
        similarity: ``'cosine'`` or ``'dot'``. Defaults to ``'cosine'``.
        tau: Temperature; None is 0.02 for ``'cosine'`` and 1 for ``'dot'``.
            Defaults to None.
        reduce: ``'mean'`` or ``'sum'`` over rows. Defaults to ``'mean'``.
        label_smoothing: In [0, 1). Defaults to 0.

    Raises:
        ValueError: An argument has no legal value.
    """

    def __init__(
        self,
        similarity: str = 'cosine',
        tau: float | None = None,
        reduce: str = 'mean',
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.tau = resolve_tau(similarity, tau)
        check_one_of('reduce', reduce, REDUCTIONS)
        check_fraction('label_smoothing', label_smoothing)
        self.similarity = similarity
        self.reduce = reduce
        self.label_smoothing = label_smoothing

    def forward(self, features: Tensor, table: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of ``(N, C)``, ``(num_ids, C)`` and labels ``(N,)``."""
        return prompt_id_loss(
            features,
            table,
            labels,
            self.similarity,
            self.tau,
            self.reduce,
            self.label_smoothing,
        )
