"""Count the memory of tensors, on any device."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class PeakTensorMemory(TorchDispatchMode):
    """Counts the bytes of the tensors that are made and freed in a ``with`` block.

    Unlike the memory of a process it is the same in every run, whatever an allocator
    keeps. What compiled code makes for itself isn't seen.

    Attributes:
        peak: The largest sum of bytes at any moment.

    Example:
        >>> with PeakTensorMemory() as memory:
        ...     for _ in range(3):
        ...         total = (torch.ones(1000) + 1).sum()
        >>> memory.peak  # two of them and a sum, 4 bytes a number
        8004
    """

    def __init__(self) -> None:
        super().__init__()
        self.peak = self._now = 0
        self._alive: dict[int, weakref.ref] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Run an operation and count the memory of what it returns."""
        out = func(*args, **(kwargs or {}))
        given = {_key(x) for x in tree_leaves((args, kwargs)) if _is_plain(x)}
        for x in tree_leaves(out):
            if _is_plain(x) and _key(x) not in given:
                self._count(x.untyped_storage())
        return out

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:  # a view
            return

        def forget(_: object) -> None:
            del self._alive[key]
            self._now -= size

        self._alive[key] = weakref.ref(storage, forget)
        self._now += size
        self.peak = max(self.peak, self._now)


def _is_plain(x: object) -> bool:
    return isinstance(x, Tensor) and x.layout == torch.strided


def _key(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def count_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of some tensors, each storage once.

    Example:
        >>> x = torch.zeros(10)
        >>> count_bytes([x, x[:5], torch.zeros(2, dtype=torch.float64)])
        56
    """
    storages = {_key(x): x.untyped_storage().nbytes() for x in tensors}
    return sum(storages.values())


def count_state_bytes(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Return the bytes that a model and its optimizer keep between two steps.

    Example:
        >>> model = nn.Linear(3, 1)
        >>> optimizer = torch.optim.Adam(model.parameters())
        >>> count_state_bytes(model, optimizer)  # Adam has no moments yet
        16
    """
    state = [x for x in tree_leaves(optimizer.state_dict()['state']) if _is_plain(x)]
    return count_bytes([*model.parameters(), *model.buffers(), *state])
