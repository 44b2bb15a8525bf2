"""Train a step in sub-batches whose losses see the whole batch (GradCache)."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce_params, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from hplreid.models.reid import BaseReID
from hplreid.models.reid.sub_batches import (
    SubBatch,
    features_of,
    join_features,
    split_inputs,
)
from hplreid.structures import FeatureBundle

from ..random_state import capture_rng, preserved_rng, restore_rng
from ..sharding import gathered, shards_of
from .stage import BATCH_NORMS


def train_step_in_sub_batches(
    model: BaseReID,
    data: dict[str, Any],
    optim_wrapper: OptimWrapper,
    size: int,
) -> dict[str, Tensor]:
    """Train one step with the memory of a sub-batch in towers and prompts.

    `GradCache <https://arxiv.org/abs/2101.06983>`_. The features of all sub-batches are
    computed, then the losses of the whole batch and their gradients at the features;
    then each sub-batch is computed again, with the random numbers of the first time, to
    carry these gradients on. The sum is the gradient of the whole batch: contrast,
    triplets and batch norms of features see all of it. The first sub-batch isn't
    computed twice, so that n of them cost 1 - 1/n more forward passes.

    With several processes their gradients are averaged at the end, not by DDP.

    Args:
        model: A method that :func:`find_sub_batch_problem` has passed, not wrapped.
        data: A collated batch.
        optim_wrapper: The wrapper of its optimizer.
        size: Items of a sub-batch, see :func:`.split_inputs`.

    Returns:
        The losses to be logged.
    """
    with optim_wrapper.optim_context(model):
        inputs = model.data_preprocessor(data, True)['inputs']
    step = _CachedStep(model, optim_wrapper, split_inputs(inputs, size))
    with gathered(model):
        losses = step.compute_losses(inputs)
        loss, log_vars = model.parse_losses(losses)
        optim_wrapper.backward(optim_wrapper.scale_loss(loss))
        step.carry_gradients_on()
        if get_world_size() > 1:
            _average_gradients(model)
    if optim_wrapper.should_update():
        optim_wrapper.step()
        optim_wrapper.zero_grad()
    return log_vars


def _average_gradients(model: nn.Module) -> None:
    shards = shards_of(model)
    if shards is not None:
        shards.take_gradients()
        return
    # Gradients of earlier steps that are accumulated are equal already
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    all_reduce_params(grads, op='mean')


class _CachedStep:
    """The features of the sub-batches of one step, and how they are made again."""

    def __init__(
        self, model: BaseReID, optim_wrapper: OptimWrapper, parts: Sequence[SubBatch]
    ) -> None:
        self.model = model
        self.optim_wrapper = optim_wrapper
        self.parts = parts
        self.leaves: list[dict[str, Tensor]] = []
        self.states: list[dict[str, Any]] = []
        self.batch_necks = model.batch_necks()
        self.losses_read = model.loss_reads()
        self.kept = model.item_features(self.losses_read)

    def compute_losses(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute the features of all sub-batches, then the losses of the batch."""
        # The first graph stays, and in it that of the tables (the learned scale of
        # logits, say), which don't depend on the batch: nobody else computes them
        first = self._encode(self.parts[0])
        tables = {n for n in first.names if first.group_of(n) is None}
        self.kept -= tables
        features = [features_of(first, self.kept)]
        learns = {name for name, (v, _) in features[0].items() if v.requires_grad}
        for part in self.parts[1:]:
            self.states.append(capture_rng())
            with torch.no_grad():
                found = features_of(self._encode(part), self.kept)
            leaves = {
                name: value.detach().requires_grad_(name in learns)
                for name, (value, _) in found.items()
            }
            self.leaves.append(leaves)
            features.append({n: (leaves[n], group) for n, (_, group) in found.items()})
        bundle = join_features(inputs, self.parts, features)
        for name in tables:
            bundle.put_table(name, first.table(name))
        with self.optim_wrapper.optim_context(self.model):
            of_items = set(self.model.necks) - self.batch_necks
            self.model.run_necks(bundle, self.losses_read, leave_out=of_items)
            whole = bundle.gather(self.losses_read, self.model.equal_shares)
            return self.model.loss_of(whole)

    def carry_gradients_on(self) -> None:
        """Compute all sub-batches but the first again, and their backward passes."""
        with preserved_rng():
            for part, leaves, state in zip(
                self.parts[1:], self.leaves, self.states, strict=True
            ):
                grads = {n: x.grad for n, x in leaves.items() if x.grad is not None}
                if not grads:
                    continue
                restore_rng(state)
                found = features_of(self._encode(part), grads)
                outputs = [found[name][0] for name in grads]
                torch.autograd.backward(outputs, list(grads.values()))

    def _encode(self, part: SubBatch) -> FeatureBundle:
        # A context for each pass: autocast keeps the weights that it has cast until the
        # end of one, and those of a pass without a graph have none
        with self.optim_wrapper.optim_context(self.model):
            return self.model.extract(part.inputs, self.kept)


def find_sub_batch_problem(model: nn.Module, trainable: Sequence[str]) -> str | None:
    """Return why a model can't be trained in sub-batches, None if it can.

    Args:
        model: The model, not wrapped.
        trainable: Prefixes of the names of the parameters that the stage trains.
    """
    name = type(model).__name__
    if not isinstance(model, BaseReID) or type(model).loss is not BaseReID.loss:
        return (
            f'{name} computes its losses itself: only those of a BaseReID, which come '
            'from heads that read named features, can be computed of cached features'
        )
    whole = tuple(f'necks.{neck}.' for neck in model.batch_necks())
    norms = [
        place
        for place, module in model.named_modules()
        if isinstance(module, BATCH_NORMS)
        and not place.startswith(('heads.', *whole))
        and _learns(module, place, trainable)
    ]
    if norms:
        return (
            f'the batch norms {norms[:3]} of {name} ({len(norms)} in all) would see '
            'sub-batches instead of the batch, which is another training: take '
            'the batch as a whole, or a smaller one'
        )
    return None


def _learns(module: nn.Module, place: str, trainable: Sequence[str]) -> bool:
    """Return whether a batch norm will be in training mode, see set_train_mode."""
    names = [f'{place}.{n}' for n, _ in module.named_parameters(recurse=False)]
    if not names:
        return True
    return any(n == p or n.startswith(f'{p}.') for n in names for p in trainable)
