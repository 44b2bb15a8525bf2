"""Parameters, gradients and optimizer states that are divided over processes.

PyTorch's ``fully_shard`` does it, with the whole model as one unit: methods read
weights in many places outside of the ``forward`` of the part that has them, where the
hooks of a smaller unit wouldn't be called.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as torch_dist
from torch import Tensor, nn
from torch.optim import Adam, AdamW

FUSED = Adam, AdamW
"""Optimizers that PyTorch can fuse for shards."""


class Shards:
    """The shards of a model, of which each process has its rows of every parameter.

    The model computes with whole parameters, which it gathers for a step; between steps
    each process keeps its share. ``state_dict()`` has whole tensors, in every process,
    and must be called by all of them. Scalars can't be divided: every process has them.

    Args:
        model: A model whose weights are equal in all processes; changed in place.
    """

    def __init__(self, model: nn.Module) -> None:
        # PyTorch 2.4, from which this package works, has neither
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        parameters = list(model.parameters())
        for parameter in parameters:
            parameter.data = parameter.data.contiguous()
        device = parameters[0].device.type
        self._rank, self._world = torch_dist.get_rank(), torch_dist.get_world_size()
        self._mesh = init_device_mesh(device, (self._world,))
        scalars = {p for p in parameters if p.dim() == 0}
        fully_shard(model, mesh=self._mesh, ignored_params=scalars)
        self._model: Any = model
        self._shards: dict[str, Any] = {
            n: p for n, p in model.named_parameters() if p.dim()
        }
        self._replicas: list[tuple[nn.Parameter, nn.Parameter]] = []
        model.register_state_dict_post_hook(_make_whole)

    @contextmanager
    def gathered(self, write: bool = False) -> Iterator[None]:
        """Give the model whole parameters in a ``with`` block; all processes enter it.

        Args:
            write: Whether the block may change them, equally in all processes.
        """
        self._model.unshard()
        try:
            yield
            if write:
                self._write()
        finally:
            self._model.reshard()

    @torch.no_grad()
    def _write(self) -> None:
        """Copy this process' rows of whole parameters to its shards."""
        for name, shard in self._shards.items():
            rows = self._own_rows(self._model.get_parameter(name))
            shard.to_local().copy_(rows)

    def adopt(
        self, optimizer: torch.optim.Optimizer, moved: Mapping[nn.Parameter, Any]
    ) -> None:
        """Make an optimizer update the shards, and keep its states in shards.

        Its ``state_dict()`` has whole tensors on the CPU, like that of one process.

        Args:
            optimizer: An optimizer of the model.
            moved: The shard of each parameter that the optimizer may have whole.
        """
        self._replicas = []
        for group in optimizer.param_groups:
            if group.get('fused') and not isinstance(optimizer, FUSED):
                group['fused'] = False  # which TrainableOptimConstructor has chosen
            group['params'] = [
                self._exchange(optimizer, old, moved.get(old, old))
                for old in group['params']
            ]
        optimizer.register_state_dict_post_hook(_make_state_whole)

    def take_gradients(self) -> None:
        """Average the gradients that ``fully_shard`` leaves those of one process.

        These are the gradients of scalars, and in a block of :meth:`gathered` those of
        whole parameters, which are then divided.
        """
        for scalar, replica in self._replicas:
            if scalar.grad is not None:
                self._accumulate(replica, scalar)
        for name, shard in self._shards.items():
            parameter = self._model.get_parameter(name)
            if parameter is not shard and parameter.grad is not None:
                self._accumulate(shard, parameter)

    def _accumulate(self, target: nn.Parameter, source: nn.Parameter) -> None:
        """Add the mean of a gradient over processes to that of its shard."""
        from torch.distributed.tensor import DTensor, Partial

        assert source.grad is not None
        own = DTensor.from_local(
            source.grad / self._world, self._mesh, [Partial()], run_check=False
        )
        mean = own.redistribute(placements=_placements(target))
        target.grad = mean if target.grad is None else target.grad + mean
        source.grad = None

    def _exchange(
        self,
        optimizer: torch.optim.Optimizer,
        old: nn.Parameter,
        new: Any,  # noqa: ANN401
    ) -> nn.Parameter:
        """Return the shard of a parameter, with what an optimizer has of it."""
        if old.dim() == 0:
            new = nn.Parameter(self._as_shard(old.detach()), old.requires_grad)
            self._replicas.append((old, new))
        if new is old:
            return old
        state = optimizer.state.pop(old, None)
        if state is not None:
            optimizer.state[new] = {
                key: self._as_shard(value) if _is_like(value, old, key) else value
                for key, value in state.items()
            }
        if old.grad is not None:  # of earlier steps, which are accumulated
            new.grad, old.grad = self._as_shard(old.grad), None
        return new

    def _as_shard(self, whole: Tensor) -> Tensor:
        """Return this process' share of a tensor; of a scalar the same memory."""
        from torch.distributed.tensor import DTensor, Replicate, Shard

        if whole.dim() == 0:
            return DTensor.from_local(whole, self._mesh, [Replicate()], run_check=False)
        return DTensor.from_local(
            self._own_rows(whole).clone(),
            self._mesh,
            [Shard(0)],
            run_check=False,
            shape=whole.shape,
            stride=whole.contiguous().stride(),
        )

    def _own_rows(self, whole: Tensor) -> Tensor:
        """Return the rows that ``fully_shard`` gives this process; maybe none."""
        chunks = whole.chunk(self._world)
        return chunks[self._rank] if self._rank < len(chunks) else whole[:0]


def shard(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Divide a model and the states of its optimizer over processes.

    Args:
        model: The model, not wrapped, with weights that are equal in all processes. It
            may be divided already, with an optimizer that is new.
        optimizer: Its optimizer, with states or without.
    """
    before = list(model.parameters())
    shards = shards_of(model)
    if shards is None:
        shards = model.shards = Shards(model)  # type: ignore[assignment]
    shards.adopt(optimizer, dict(zip(before, model.parameters(), strict=True)))


def shards_of(model: nn.Module) -> Shards | None:
    """Return the shards of a model, not wrapped; None if it is whole.

    Example:
        >>> shards_of(nn.Linear(2, 2)) is None
        True
    """
    return getattr(model, 'shards', None)


@contextmanager
def gathered(model: nn.Module, write: bool = False) -> Iterator[None]:
    """Give a model whole parameters in a ``with`` block, see :meth:`Shards.gathered`.

    Nothing is done for a model that is whole anyway.

    Example:
        >>> model = nn.Linear(2, 2)
        >>> with gathered(model):
        ...     tuple(model.weight.shape)
        (2, 2)
    """
    shards = shards_of(model)
    if shards is None:
        yield
    else:
        with shards.gathered(write):
            yield


def whole(tensor: Tensor) -> Tensor:
    """Return the whole of a tensor that is divided over processes, in each of them.

    Example:
        >>> whole(torch.ones(2))  # isn't divided
        tensor([1., 1.])
    """
    return tensor.full_tensor() if hasattr(tensor, 'full_tensor') else tensor


def local(tensor: Tensor) -> Tensor:
    """Return what this process has of a tensor that is divided over processes.

    Example:
        >>> local(torch.ones(2))  # isn't divided
        tensor([1., 1.])
    """
    return tensor.to_local() if hasattr(tensor, 'to_local') else tensor


def _placements(parameter: nn.Parameter) -> Any:  # noqa: ANN401
    return parameter.placements  # type: ignore[attr-defined]


def _is_like(value: object, parameter: Tensor, key: str) -> bool:
    """Return whether a state of an optimizer has an element for each parameter."""
    return (
        isinstance(value, Tensor) and value.shape == parameter.shape and key != 'step'
    )


def _make_whole(_: nn.Module, state: dict[str, Any], *__: object) -> None:
    for name, value in state.items():
        state[name] = whole(value)


def _make_state_whole(_: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    # Not in place: these dicts are the optimizer's own
    state['state'] = {
        index: {key: _on_cpu(value) for key, value in values.items()}
        for index, values in state['state'].items()
    }


def _on_cpu(value: Any) -> Any:  # noqa: ANN401
    return whole(value).cpu() if hasattr(value, 'full_tensor') else value
