"""A model with its optimizer and a batch, whose training step is measured."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from copy import deepcopy
from typing import Any

import torch
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hplreid.models.reid import BaseReID
from hplreid.registry import MODELS
from hplreid.utils.measuring import time_call
from hplreid.utils.tensor_memory import PeakTensorMemory, count_state_bytes

from ..config.resolve import forget_pretrained
from ..loops import Stage, set_trainable
from ..loops.cached_step import find_sub_batch_problem, train_step_in_sub_batches
from ..loops.stage import set_train_mode
from ..tf32 import tf32

Batch = dict[str, Any]


class TrainingCase:
    """A step of a stage as the training loop takes it, on batches that are given.

    Args:
        model: Config of the model, whose weights will be random; or the model itself.
        stage: The stage.
        batches: Collated batches, see :func:`.make_up_batch`; one step takes them all,
            several with ``accumulative_counts``.
        num_ids: Training identities.
        device: The device.
        seed: Of the weights.
        allow_tf32: Whether the step may use TF32.

    Raises:
        ValueError: The stage has a ``micro_batch_size`` that the model can't have.
    """

    def __init__(
        self,
        model: dict[str, Any] | BaseReID,
        stage: Stage,
        batches: list[Batch],
        num_ids: int,
        device: torch.device | str,
        seed: int = 0,
        allow_tf32: bool = False,
    ) -> None:
        self.stage = stage
        self.batches = batches
        self.device = torch.device(device)
        self.allow_tf32 = allow_tf32
        built = build_model(model, num_ids, seed) if isinstance(model, dict) else model
        self.model: Any = built.to(self.device)
        set_trainable(self.model, stage.trainable)
        problem = find_sub_batch_problem(self.model, stage.trainable)
        if stage.micro_batch_size is not None and problem is not None:
            raise ValueError(problem)
        optim = deepcopy(stage.optim_wrapper)
        optim.setdefault('constructor', 'TrainableOptimConstructor')
        self.optim_wrapper = build_optim_wrapper(self.model, optim)
        self.model.enter_stage(stage.name)
        self._provide_features(num_ids)
        set_train_mode(self.model)

    def _provide_features(self, num_ids: int) -> None:
        """Make what a stage computes before its first step, of random numbers."""
        if self.stage.init_features:
            width = self.model.image_encoder.feature_dims['v']
            labels = torch.arange(num_ids)
            self.model.receive_features(
                {
                    name: (torch.randn(num_ids, width), labels)
                    for name in self.stage.init_features['names']
                }
            )
        if self.stage.cache_features:
            self.model.eval()
            self.batches = [self._with_features(batch) for batch in self.batches]

    @torch.no_grad()
    def _with_features(self, batch: Batch) -> Batch:
        """Return a batch with features in place of images, as CachedFeatures does."""
        names = self.stage.cache_features
        inputs = self.model.data_preprocessor(batch)['inputs']
        bundle = self.model.extract(inputs, names)
        none = torch.empty(0, dtype=torch.int64)
        return dict(
            inputs=dict(
                images=torch.empty(0),
                image_rows=none,
                captions=torch.empty(0),
                caption_rows=none,
                features={n: bundle.select(n)[0].float().cpu() for n in names},
            ),
            data_samples=batch['data_samples'],
        )

    @property
    def num_images(self) -> int:
        """Images of a step, or features of images."""
        return sum(len(batch['data_samples']) for batch in self.batches)

    @property
    def num_captions(self) -> int:
        """Captions of a step."""
        return sum(len(batch['inputs']['caption_rows']) for batch in self.batches)

    def step(self) -> dict[str, float]:
        """Train one step, up to one update, and return its last batch's losses."""
        return {k: float(v.detach()) for k, v in self._step().items()}

    def _step(self) -> dict[str, torch.Tensor]:
        losses: dict[str, torch.Tensor] = {}
        with tf32(self.allow_tf32):
            for batch in self.batches:
                size = self.stage.micro_batch_size
                if size is not None and len(batch['data_samples']) > size:
                    losses = train_step_in_sub_batches(
                        self.model, batch, self.optim_wrapper, size
                    )
                else:
                    losses = self.model.train_step(batch, self.optim_wrapper)
        return losses

    def time_step(self) -> float:
        """Return the seconds of a step."""
        return time_call(self._step)[0]

    def time_parts(self) -> dict[str, float]:
        """Return the seconds of a step's parts.

        Returns:
            ``data`` (to the device, and normalized), ``forward``, ``backward`` and
            ``update`` of the parameters. On a GPU each part waits for the one before,
            so that their sum is somewhat more than :meth:`time_step`.
        """
        clock = _Clock()
        wrapper, preprocessor = self.optim_wrapper, self.model.data_preprocessor
        with (
            clock.watching(preprocessor, 'forward', 'data'),
            # Tensor.backward ends here, too
            clock.watching(torch.autograd, 'backward', 'backward'),
            clock.watching(wrapper, 'step', 'update'),
            clock.watching(wrapper, 'zero_grad', 'update'),
        ):
            total = self.time_step()
        parts = clock.seconds
        return dict(
            data=parts['data'],
            forward=total - sum(parts.values()),
            backward=parts['backward'],
            update=parts['update'],
        )

    def count_flops(self) -> int:
        """Return the operations of the matrix products and convolutions of a step."""
        # No formula is known for the fused attention of CPUs; its plain form has one
        kernel = sdpa_kernel(SDPBackend.MATH) if self._on_cpu() else nullcontext()
        # PyTorch 2.4 prints that sub-batches confuse its tracker of modules
        quiet = redirect_stdout(io.StringIO())
        with FlopCounterMode(display=False) as counter, kernel, quiet:
            self._step()
        return int(counter.get_total_flops())

    def measure_memory(self) -> int:
        """Return the bytes that model, optimizer and a step take at most.

        On a GPU the allocator says so; elsewhere tensors are counted.
        """
        if self._on_cpu():
            with PeakTensorMemory() as memory:
                self._step()
            peak = memory.peak
        else:
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
            self._step()
            torch.cuda.synchronize(self.device)
            peak = torch.cuda.max_memory_allocated(self.device) - before
        return peak + count_state_bytes(self.model, self.optim_wrapper.optimizer)

    def _on_cpu(self) -> bool:
        return self.device.type == 'cpu'


class _Clock:
    """Adds up the seconds of calls of functions, by name of a part."""

    def __init__(self) -> None:
        self.seconds = dict(data=0.0, backward=0.0, update=0.0)

    @contextmanager
    def watching(self, owner: Any, name: str, part: str) -> Iterator[None]:  # noqa: ANN401
        """Time the calls of a function of ``owner`` within a ``with`` block."""
        function: Callable[..., Any] = getattr(owner, name)
        is_own = name in vars(owner)

        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            seconds, result = time_call(lambda: function(*args, **kwargs))
            self.seconds[part] += seconds
            return result

        setattr(owner, name, timed)
        try:
            yield
        finally:
            if is_own:
                setattr(owner, name, function)
            else:
                delattr(owner, name)


def count_trained(model: dict[str, Any], stages: Sequence[Stage], num_ids: int) -> int:
    """Count the parameters that any stage trains, each once.

    Args:
        model: Config of the model.
        stages: The stages.
        num_ids: Training identities.

    Example:
        >>> tower = dict(type='ResNetEncoder', arch='resnet18')
        >>> heads = dict(identify=[dict(type='IDHead', feature='v')])
        >>> necks = dict(v=dict(type='GlobalAveragePool', reads='map'))
        >>> model = dict(type='ImageReID', image_encoder=tower, necks=necks)
        >>> model |= dict(heads=heads, i2i_feature='v')
        >>> stage = Stage('identify', 1, ('heads',), {})
        >>> count_trained(model, [stage], num_ids=10)  # 512 x 10, 512 of BNNeck
        5632
    """
    built = build_model(model, num_ids)
    return set_trainable(built, [p for stage in stages for p in stage.trainable])


def build_model(config: dict[str, Any], num_ids: int, seed: int = 0) -> BaseReID:
    """Build a model with random weights from a seed.

    Raises:
        TypeError: It isn't a method of this package.
    """
    config = deepcopy(config)
    forget_pretrained(config)
    torch.manual_seed(seed)
    model: nn.Module = MODELS.build(dict(config, num_ids=num_ids))
    if not isinstance(model, BaseReID):
        raise TypeError(f'{type(model).__name__} is no BaseReID.')
    return model
