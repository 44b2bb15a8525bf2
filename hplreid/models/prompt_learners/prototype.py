"""Propot's prototypes: prompted by domain and instances, then aggregated."""

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule
from torch import Tensor

from hplreid.registry import PROMPT_LEARNERS
from hplreid.utils.argument_checks import check_one_of

from .prototype_aggregation import PrototypeAggregation
from .prototype_blocks import MODALITIES, DomainPrompting, InstancePrompting

SOURCES = ('intra', 'inter')


@PROMPT_LEARNERS.register_module()
class PrototypeLearner(BaseModule):
    """Prompts the prototypes of identities and aggregates the results.

    Propot (ACM MM 2024), sections on DPP, IPP and APA; Eq. 2 to 6. With ``adapt`` alone
    or one source of instances alone it is a row of its ablation.

    Args:
        num_ids: Training identities.
        channels: Width of a prototype, d.
        adapt: Whether to prompt by the domain (DPP).
        enrich: Whether to prompt by instances (IPP) of the prototype's own modality,
            ``'intra'``, of the other one, ``'inter'``, of both or of none.
        num_vectors: Learnable vectors of an identity and modality, K.
        adapt_depth: Blocks of DPP, N_a.
        enrich_depth: Blocks of IPP, N_e.
        num_heads: Attention heads of both.
        share_blocks: See :class:`InstancePrompting`.
        aggregation: How prototypes are added up, see :class:`PrototypeAggregation`.

    Raises:
        ValueError: A source isn't known or stands twice, there is no such aggregation,
            or nothing is left to do.
    """

    def __init__(
        self,
        num_ids: int,
        channels: int,
        adapt: bool = True,
        enrich: Sequence[str] = SOURCES,
        num_vectors: int = 4,
        adapt_depth: int = 1,
        enrich_depth: int = 3,
        num_heads: int = 8,
        share_blocks: bool = True,
        aggregation: str = 'adaptive',
    ) -> None:
        super().__init__()
        if isinstance(enrich, str) or len(set(enrich)) != len(enrich):
            raise ValueError(f'enrich={enrich!r}: expected distinct ones of {SOURCES}.')
        for source in enrich:
            check_one_of('enrich', source, SOURCES)
        if not adapt and not enrich:
            raise ValueError(
                'adapt=False and no enrich: nothing is learned. For initial prototypes '
                'alone set learner=None in the head.'
            )
        self.enrich = tuple(enrich)
        self.aggregation = PrototypeAggregation(
            aggregation, channels, adapt + len(enrich)
        )
        self.domain = (
            DomainPrompting(num_ids, channels, num_vectors, adapt_depth, num_heads)
            if adapt
            else None
        )
        self.instance = (
            InstancePrompting(channels, enrich_depth, num_heads, share_blocks)
            if enrich
            else None
        )

    def forward(
        self,
        initial: Mapping[str, Tensor],
        instances: Mapping[str, Tensor],
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return prototypes by modality, ``(n, d)`` each.

        Args:
            initial: pt by modality, ``'image'`` and ``'text'``, ``(n, d)`` each.
            instances: Features of the batch by modality, ``(B, d)`` each.
            labels: Identities of the prototypes, ``(n,)`` int64; None for all, in
                order.
        """
        return {
            modality: self.aggregation(
                initial[modality],
                *self._prompt(modality, initial[modality], instances, labels),
            )
            for modality in MODALITIES
        }

    def _prompt(
        self,
        modality: str,
        initial: Tensor,
        instances: Mapping[str, Tensor],
        labels: Tensor | None,
    ) -> list[Tensor]:
        other = MODALITIES[1 - MODALITIES.index(modality)]
        of_source = {'intra': instances[modality], 'inter': instances[other]}
        prompted = []
        if self.domain is not None:
            prompted.append(self.domain(modality, initial, labels))
        if self.instance is not None:
            prompted += [self.instance(initial, of_source[s]) for s in self.enrich]
        return prompted
