"""The base class of methods: modes, stages, necks, heads, and the global batch."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from mmengine.model import BaseModel
from torch import Tensor, nn

from hplreid.structures import FeatureBundle, ReIDDataSample
from hplreid.structures.feature_bundle import ALL
from hplreid.structures.feature_form import FeatureForm
from hplreid.utils.distributed import gather_with_grad, get_rank_and_size

from ..assembly import build_head, build_neck, order_necks
from ..heads import BaseHead
from ..necks.base_neck import names_read
from ..necks.neck_form import form_of_neck
from ..part import PartError


class BaseReID(BaseModel):
    """A method: it encodes a batch to named features, and heads make losses of them.

    A subclass says which names it offers in each stage (:meth:`offers`), computes them
    (:meth:`encode`) and writes retrieval features (:meth:`predict`). Necks add
    features to those: each reads some names and offers one more, its own, to the necks
    after it, to heads, and for retrieval.

    Args:
        heads: Lists of head configs, one list for each training stage, by the stage's
            name. Not built when ``num_ids`` is None.
        num_ids: Training identities. None for inference, which needs no head.
        data_preprocessor: Config of the preprocessor.
        necks: Configs of necks by the name of the feature that each makes; ``reads``
            there is the name, or the names, of what it is given. ``in_channels``
            defaults to the width of the first. One with ``needs_global_batch`` sees the
            rows of all processes in training. At inference only those are built that
            retrieval features need.

    Raises:
        PartError: A head reads a name that its stage doesn't offer, or a neck one that
            nothing before it offers; what one reads has another form than it takes; a
            neck has the name of a feature, or reads nothing; or a stage has a name
            that PyTorch's modules have for something else, ``train`` say.
    """

    def __init__(
        self,
        heads: dict[str, list[dict]] | None,
        num_ids: int | None,
        data_preprocessor: dict | None,
        necks: dict[str, dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor or dict(type='ReIDDataPreprocessor'))
        self.num_ids = num_ids
        self.stage: str | None = None
        #: Whether every process has as many rows; the training loop knows its sampler.
        self.equal_shares = True
        necks = order_necks(necks)
        self.necks = nn.ModuleDict()
        self._neck_reads = {n: names_read(c) for n, c in necks.items()}
        # At test a neck is there only if what is compared needs it
        needed = self.inputs_of(self.retrieval_features())
        for name, config in necks.items():
            if num_ids is not None or name in needed:
                neck = build_neck(config, name, self._neck_reads[name], self.forms(''))
                self.necks[name] = neck
        self.heads = nn.ModuleDict()
        if num_ids is None:
            return
        for stage, configs in (heads or {}).items():
            if hasattr(self.heads, stage):
                raise PartError(
                    f"heads: a stage can't be called '{stage}', as something of every "
                    "module is. Call it 'align', say."
                )
            method, offered = type(self).__name__, self.forms(stage)
            self.heads[stage] = nn.ModuleList(
                build_head(config, f'heads.{stage}.{i}', method, num_ids, offered)
                for i, config in enumerate(configs)
            )

    @abstractmethod
    def offers(self, stage: str) -> dict[str, FeatureForm]:
        """Return the features and tables that a stage can be given, and their forms.

        Necks' aren't among them, see :meth:`forms`.
        """

    def forms(self, stage: str) -> dict[str, FeatureForm]:
        """Return the forms of all that a stage can be given, what necks make included.

        Args:
            stage: The stage's name; ``''`` for what is on offer in any stage.
        """
        forms = dict(self.offers(stage))
        for name, neck in self.necks.items():
            reads = self._neck_reads[name]
            forms[name] = form_of_neck(neck, f'necks.{name}', reads, forms)
        return forms

    @abstractmethod
    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """Compute at least the features ``reads`` of a batch, necks' excepted."""

    def extract(
        self, inputs: dict[str, Tensor], reads: Collection[str]
    ) -> FeatureBundle:
        """Compute at least the features ``reads`` of a batch, necks' among them."""
        bundle = self.encode(inputs, self.inputs_of(reads))
        self.run_necks(bundle, reads)
        return bundle

    def retrieval_features(self) -> set[str]:
        """Return the names of the features that are compared at test."""
        return set()

    def inputs_of(self, reads: Collection[str]) -> set[str]:
        """Return ``reads`` and all that their necks read, and those necks' necks."""
        needed = set(reads)
        for name in reversed(self._neck_reads):
            if name in needed:
                needed.update(self._neck_reads[name])
        return needed

    def reads_of_neck(self, name: str) -> tuple[str, ...]:
        """Return the names of what a neck is given, in order."""
        return self._neck_reads[name]

    def batch_necks(self) -> set[str]:
        """Return the necks that see the whole batch, and those that read such a one."""
        found: set[str] = set()
        for name, neck in self.necks.items():
            if _needs_global_batch(neck) or found.intersection(self._neck_reads[name]):
                found.add(name)
        return found

    def parts_with_global_batch(self) -> list[str]:
        """Return the names of modules that see the rows of all processes in training.

        Batch norms elsewhere see those of their own process, unless the wrapper for
        several processes synchronizes them.
        """
        whole = [n for n, neck in self.necks.items() if _needs_global_batch(neck)]
        return ['heads', *(f'necks.{name}' for name in whole)]

    def item_features(self, reads: Collection[str]) -> set[str]:
        """Return the features of single items, of which all that is read is made.

        Args:
            reads: What heads read.

        Returns:
            Names of features and tables that heads read, or necks that see the whole
            batch: what must be known of every item before those are run.
        """
        whole = self.batch_necks()
        needed = self.inputs_of(reads) & whole
        return {*reads, *(i for n in needed for i in self._neck_reads[n])} - whole

    def run_necks(
        self,
        bundle: FeatureBundle,
        reads: Collection[str],
        leave_out: Collection[str] = (),
    ) -> None:
        """Put the features of those necks on the bundle that ``reads`` needs.

        Args:
            bundle: Has what the necks read.
            reads: Names of features.
            leave_out: Necks that aren't run.
        """
        needed = self.inputs_of(reads) - set(leave_out)
        for name, neck in self.necks.items():
            if name not in needed:
                continue
            inputs = self._neck_reads[name]
            groups = (bundle.group_of(i) for i in inputs)
            # Rows of one group, where one of the inputs covers no more
            group = next((g for g in groups if g not in (None, ALL)), None) or ALL
            given = (
                bundle.table(i)
                if bundle.group_of(i) is None
                else bundle.select(i, group)[0]
                for i in inputs
            )
            if self.training and _needs_global_batch(neck):
                counts = bundle.count_rows(group, self.equal_shares)
                bundle.put(name, _run_on_global_batch(neck, counts, *given), group)
            else:
                bundle.put(name, neck(*given), group)

    @abstractmethod
    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Write ``i2i_feat`` and ``t2i_feat``, fp32 on the CPU, on the samples."""

    def enter_stage(self, name: str) -> None:
        """Make ``name`` the stage whose heads are trained.

        Raises:
            PartError: There are no heads for such a stage.
        """
        if name not in self.heads:
            raise PartError(
                f"No heads for stage '{name}'; the model has {list(self.heads)}."
            )
        self.stage = name

    def receive_features(self, features: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Take features of the whole training set, computed when a stage began.

        Args:
            features: Of a stage's ``init_features``, by name: ``(N, ...)`` on the CPU,
                and the identity of each row, ``(N,)`` int64.

        Raises:
            ValueError: This method, as it was configured, has no use for them.
        """
        raise ValueError(
            f'init_features={list(features)}: this {type(self).__name__} has no use '
            "for them. Those with prototypes='mean' have."
        )

    def loss(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[ReIDDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return the losses of the current stage's heads, by name.

        Heads see the features of all processes, gathered once, here: nothing after this
        point knows that there are several.
        """
        reads = self.loss_reads()
        bundle = self.extract(inputs, reads)
        return self.loss_of(bundle.gather(reads, self.equal_shares))

    def _stage_heads(self) -> list[BaseHead]:
        if self.stage is None:
            raise RuntimeError('Call enter_stage(name) before asking for a loss.')
        return cast(list[BaseHead], self.heads[self.stage])

    def loss_reads(self) -> set[str]:
        """Return the names of all that the current stage's heads read."""
        return {name for head in self._stage_heads() for name in head.reads}

    def loss_of(self, bundle: FeatureBundle) -> dict[str, Tensor]:
        """Return the losses of the current stage's heads, of the global batch."""
        losses: dict[str, Tensor] = {}
        for head in self._stage_heads():
            terms = head.loss(bundle)
            repeated = losses.keys() & terms.keys()
            if repeated:
                raise PartError(
                    f"Two heads of stage '{self.stage}' call a loss "
                    f'{sorted(repeated)}: give one a `name`.'
                )
            losses.update(terms)
        return losses

    def forward(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[ReIDDataSample] | None = None,
        mode: str = 'tensor',
    ) -> FeatureBundle | dict[str, Tensor] | list[ReIDDataSample]:
        """Dispatch on ``mode``.

        Args:
            inputs: What :class:`ReIDDataPreprocessor` returns.
            data_samples: The items.
            mode: ``'tensor'``: all features of the batch, by name; ``'loss'``: named
                losses; ``'predict'``: the samples with their retrieval features.

        Raises:
            ValueError: Another mode.
        """
        if mode == 'tensor':
            return self.extract(inputs, self.forms(self.stage or '').keys())
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples or [])
        raise ValueError(f"mode='{mode}': expected 'tensor', 'loss' or 'predict'.")


def _needs_global_batch(neck: nn.Module) -> bool:
    return getattr(neck, 'needs_global_batch', False)


def _run_on_global_batch(
    neck: nn.Module, counts: Sequence[int], *given: Tensor
) -> Tensor:
    """Give a neck the rows of all processes, and return what it makes of one's own."""
    rank, _ = get_rank_and_size()
    made = neck(*(gather_with_grad(x, counts) for x in given))
    return made[sum(counts[:rank]) : sum(counts[: rank + 1])]
