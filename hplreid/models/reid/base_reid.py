"""What every method shares: modes, stages, heads, and where losses meet all ranks."""

import inspect
from abc import abstractmethod
from typing import cast

from mmengine.model import BaseModel
from torch import Tensor, nn

from hplreid.registry import HEADS
from hplreid.structures import FeatureBundle, ReIDDataSample

from ..heads import BaseHead


class BaseReID(BaseModel):
    """A method: it encodes a batch to named features, and heads make losses of them.

    A subclass says which names it offers in each stage (:meth:`offers`), computes them
    (:meth:`encode`) and writes retrieval features (:meth:`predict`).

    Args:
        heads: Lists of head configs, one list for each training stage, by the stage's
            name. Not built when ``num_ids`` is None.
        num_ids: Training identities. None for inference, which needs no head.
        feature_dims: Width of each named feature, for heads that must know.
        data_preprocessor: Config of the preprocessor.

    Raises:
        KeyError: A head reads a name that its stage doesn't offer.
    """

    def __init__(
        self,
        heads: dict[str, list[dict]] | None,
        num_ids: int | None,
        feature_dims: dict[str, int],
        data_preprocessor: dict | None,
    ) -> None:
        super().__init__(data_preprocessor or dict(type='ReIDDataPreprocessor'))
        self.num_ids = num_ids
        self.stage: str | None = None
        self.heads = nn.ModuleDict()
        if num_ids is None:
            return
        for stage, configs in (heads or {}).items():
            self.heads[stage] = nn.ModuleList(
                self._build_head(c, stage, feature_dims) for c in configs
            )

    def _build_head(self, config: dict, stage: str, dims: dict[str, int]) -> nn.Module:
        """Build a head, telling it the number of identities and its feature's width."""
        arguments = inspect.signature(HEADS.get(config['type'])).parameters
        known: dict[str, int | None] = {}
        if 'num_ids' in arguments:
            known['num_ids'] = self.num_ids
        if 'in_channels' in arguments:
            key = 'feature' if 'feature' in arguments else 'image'
            name = config.get(key, arguments[key].default)
            self._check_offer(config['type'], stage, name)
            if name in dims:
                known['in_channels'] = dims[name]
        head = HEADS.build(config, default_args=known)
        for name in head.reads:
            self._check_offer(config['type'], stage, name)
        return head

    def _check_offer(self, head: str, stage: str, name: str) -> None:
        offered = self.offers(stage)
        if name not in offered:
            raise KeyError(
                f"{head} of stage '{stage}' reads '{name}'. {type(self).__name__} "
                f'offers there: {", ".join(sorted(offered))}.'
            )

    @abstractmethod
    def offers(self, stage: str) -> set[str]:
        """Return the names of the features and tables that a stage can be given."""

    @abstractmethod
    def encode(self, inputs: dict[str, Tensor], reads: set[str]) -> FeatureBundle:
        """Compute at least the features ``reads`` of a training batch."""

    @abstractmethod
    def predict(
        self, inputs: dict[str, Tensor], data_samples: list[ReIDDataSample]
    ) -> list[ReIDDataSample]:
        """Write ``i2i_feat`` and ``t2i_feat``, fp32 on the CPU, on the samples."""

    def enter_stage(self, name: str) -> None:
        """Make ``name`` the stage whose heads are trained.

        Raises:
            ValueError: There are no heads for such a stage.
        """
        if name not in self.heads:
            raise ValueError(
                f"No heads for stage '{name}'; the model has {list(self.heads)}."
            )
        self.stage = name

    def loss(
        self,
        inputs: dict[str, Tensor],
        data_samples: list[ReIDDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return the losses of the current stage's heads, by name.

        Heads see the features of all processes, gathered once, here: nothing after this
        point knows that there are several.
        """
        if self.stage is None:
            raise RuntimeError('Call enter_stage(name) before asking for a loss.')
        heads = cast(list[BaseHead], self.heads[self.stage])
        reads = {name for head in heads for name in head.reads}
        bundle = self.encode(inputs, reads).gather(reads)
        losses: dict[str, Tensor] = {}
        for head in heads:
            terms = head.loss(bundle)
            repeated = losses.keys() & terms.keys()
            if repeated:
                raise ValueError(
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
            return self.encode(inputs, self.offers(self.stage or ''))
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples or [])
        raise ValueError(f"mode='{mode}': expected 'tensor', 'loss' or 'predict'.")
