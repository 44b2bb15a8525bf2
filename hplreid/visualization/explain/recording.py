"""Attention of a forward pass, computed step by step and kept.

Towers and necks attend by PyTorch's fused kernel, which never holds the probabilities.
Inside :func:`record_attention` they attend by an explicit function instead: nothing
outside of it is slower, and no tower knows of it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LOCK = threading.RLock()


@dataclass(frozen=True)
class AttentionRecord:
    """One attention of a forward pass.

    Attributes:
        part: The part of the model that attended, ``'image_encoder'`` or
            ``'necks.interaction'`` say; ``''`` outside of all parts.
        probs: Where each query looked, ``(B, heads, Q, L)``, rows that sum to 1.
    """

    part: str
    probs: Tensor


def attend_explicitly(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what PyTorch's fused attention returns, and the probabilities.

    Args:
        query: ``(B, heads, Q, d)``.
        key: ``(B, heads, L, d)``.
        value: ``(B, heads, L, d)``.
        attn_mask: True where a query may look, or numbers to add to the scores;
            broadcast to ``(B, heads, Q, L)``.
        dropout_p: 0: what is explained doesn't depend on chance.
        is_causal: Whether query i sees keys up to i alone.
        scale: Factor of the scores. Defaults to ``1 / sqrt(d)``.

    Returns:
        ``(B, heads, Q, d)`` and ``(B, heads, Q, L)``.

    Raises:
        ValueError: ``dropout_p`` isn't 0.

    Example:
        >>> q, k, v = torch.randn(3, 2, 4, 5, 8)
        >>> out, probs = attend_explicitly(q, k, v)
        >>> fused = F.scaled_dot_product_attention(q, k, v)
        >>> torch.allclose(out, fused, atol=1e-6), probs.shape
        (True, torch.Size([2, 4, 5, 5]))
    """
    if dropout_p:
        raise ValueError(f'dropout_p={dropout_p}: expected 0, of a model in eval mode.')
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-2, -1) * scale
    if is_causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device)
        scores = scores.masked_fill(~seen.tril(), -torch.inf)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    probs = scores.softmax(dim=-1)
    if torch.is_grad_enabled() and not probs.requires_grad:
        probs.requires_grad_()  # the first of a tower whose weights are frozen
    return probs @ value, probs


@contextmanager
def record_attention(model: nn.Module) -> Iterator[list[AttentionRecord]]:
    """Keep the attention probabilities of what a model computes inside.

    Features are the same but for rounding. Inside, the model is in evaluation mode, not
    compiled, keeps its activations, and its weights ask for no gradient: gradients of
    the probabilities are computed alone. Other threads attend as ever.

    Args:
        model: The model. When the context ends all is as it was.

    Yields:
        The records, in the order in which they were made.

    Example:
        >>> attention = nn.MultiheadAttention(8, num_heads=2, batch_first=True)
        >>> x = torch.randn(1, 5, 8)
        >>> with record_attention(attention) as records:
        ...     _ = attention(x, x, x, need_weights=False)
        >>> [record.probs.shape for record in records]
        [torch.Size([1, 2, 5, 5])]
    """
    records: list[AttentionRecord] = []
    parts: list[str] = []
    fused, thread = F.scaled_dot_product_attention, threading.get_ident()

    def attend(*args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401
        if threading.get_ident() != thread:
            return fused(*args, **kwargs)
        out, probs = attend_explicitly(*args, **kwargs)
        records.append(AttentionRecord(parts[-1] if parts else '', probs))
        return out

    with _LOCK, ExitStack() as stack:
        stack.enter_context(_plain_execution(model))
        for name, part in _parts_of(model):
            enter = part.register_forward_pre_hook(
                lambda *_, name=name: parts.append(name)
            )
            leave = part.register_forward_hook(lambda *_: _drop_last(parts))
            stack.callback(enter.remove)
            stack.callback(leave.remove)
        # Everyone calls it by this name: our blocks, timm's, PyTorch's own modules
        F.scaled_dot_product_attention = attend
        stack.callback(setattr, F, 'scaled_dot_product_attention', fused)
        yield records


def _parts_of(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the parts of a method and their names; necks one by one."""
    for name, part in model.named_children():
        if isinstance(part, nn.ModuleDict):
            yield from ((f'{name}.{key}', inner) for key, inner in part.items())
        else:
            yield name, part


def _drop_last(parts: list[str]) -> None:
    parts.pop()


@contextmanager
def _plain_execution(model: nn.Module) -> Iterator[None]:
    """Run a model in evaluation mode, op by op, without gradients of weights."""
    modules: list[Any] = list(model.modules())
    modes = [module.training for module in modules]
    compiled = [module._compiled_call_impl for module in modules]
    kept = [getattr(module, 'checkpoint_blocks', None) for module in modules]
    asking = [p for p in model.parameters() if p.requires_grad]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    try:
        # PyTorch's own layers would attend in one kernel, which keeps nothing either
        torch.backends.mha.set_fastpath_enabled(False)
        for module in modules:
            # One by one: a method may do more in its own eval()
            module.training, module._compiled_call_impl = False, None
            if getattr(module, 'checkpoint_blocks', False):
                module.checkpoint_blocks = False
        for parameter in asking:
            parameter.requires_grad_(False)
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        before = zip(modules, modes, compiled, kept, strict=True)
        for module, mode, call, keep in before:
            module.training, module._compiled_call_impl = mode, call
            if keep is not None:
                module.checkpoint_blocks = keep
        for parameter in asking:
            parameter.requires_grad_()
