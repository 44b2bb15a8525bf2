"""Time, memory and operations of a stage's training step, with and without options."""

import statistics
from collections.abc import Sequence
from typing import Any

import torch

from ..loops import Stage
from ..tf32 import tf32
from .device_bound import data_sheet_flops, measure_product_flops
from .made_up_data import make_up_batch
from .step_options import PARTS, PLAIN, apply_option
from .training_case import TrainingCase

Row = dict[str, Any]


def measure_training(
    model: dict[str, Any],
    stage: Stage,
    options: Sequence[str],
    device: torch.device | str,
    num_ids: int = 1000,
    batch_size: int | None = None,
    rounds: int = 5,
) -> tuple[list[Row], dict[str, str]]:
    """Measure a stage as its config has it, and with each option.

    Rounds alternate between the cases, so that a slow moment affects all.

    Args:
        model: Config of the model.
        stage: The stage.
        options: Names of options, see ``OPTIONS``.
        device: The device.
        num_ids: Training identities.
        batch_size: Items of a batch. Defaults to the stage's.
        rounds: Number of timed steps of each case.

    Returns:
        A row for the plain case and for each option, and the reason of each option that
        this stage can't have. A row has ``option``, ``precision``, ``images`` and
        ``captions`` of a step, ``seconds`` of the median step, ``images_per_s``,
        ``captions_per_s``, ``speed`` (times that of the plain case, the median over
        rounds), ``parts`` (seconds), ``memory`` (bytes; None for compiled code on a
        CPU), ``flops`` of a plain step, ``of_product`` and ``of_data_sheet`` (those
        over the time, as a share of what the device can do), and ``loss_difference``
        (relative, at the first step).

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='TransReIDEncoder', arch='vit_tiny_patch16_224',
        ...              img_size=(32, 16), jpm=False, arch_options=dict(depth=1))
        >>> triplet = dict(type='TripletHead', feature='v', group='all')
        >>> model = dict(type='ImageReID', image_encoder=tower,
        ...              heads=dict(align=[triplet]))
        >>> resize = dict(type='ResizeImage', size=(32, 16))
        >>> loader = dict(sampler=dict(type='IdentitySampler', batch_size=8),
        ...               dataset=dict(pipeline=[resize]))
        >>> optim = dict(type='AutocastOptimWrapper', precision='fp32',
        ...              optimizer=dict(type='SGD', lr=0.1))
        >>> stage = Stage('align', 1, ('image_encoder',), optim, dataloader=loader)
        >>> rows, skipped = measure_training(model, stage, ['sub_batches'], 'cpu',
        ...                                  rounds=1)
        >>> [row['option'] for row in rows], skipped
        (['plain', 'sub_batches'], {})
    """
    cases, skipped = build_cases(model, stage, options, device, num_ids, batch_size)
    plain = cases[PLAIN]
    losses: dict[str, float] = {}
    memory: dict[str, int | None] = {}
    for name, case in cases.items():
        torch.manual_seed(1)
        losses[name] = case.step()['loss']
        # Without an allocator's counts, what compiled code makes isn't seen
        hidden = name == 'compile' and case.device.type == 'cpu'
        memory[name] = None if hidden else case.measure_memory()
    flops = plain.count_flops()
    bounds: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {name: [] for name in cases}
    parts: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(case.time_step())
            parts[name].append(case.time_parts())
        for kind, case in {precision_of(c): c for c in cases.values()}.items():
            bounds.setdefault(kind, []).append(measure_bound(case))
    rows = []
    for name, case in cases.items():
        seconds = statistics.median(times[name])
        ratios = [a / b for a, b in zip(times[PLAIN], times[name], strict=True)]
        kind = precision_of(case)
        sheet = data_sheet_flops(_device_name(case.device), kind)
        difference = abs(losses[name] - losses[PLAIN]) / max(abs(losses[PLAIN]), 1e-12)
        rows.append(
            dict(
                option=name,
                precision=kind,
                images=case.num_images,
                captions=case.num_captions,
                seconds=seconds,
                images_per_s=case.num_images / seconds,
                captions_per_s=case.num_captions / seconds,
                speed=statistics.median(ratios),
                parts={
                    p: statistics.median(x[p] for x in parts[name])
                    for p in parts[name][0]
                },
                memory=memory[name],
                flops=flops,
                of_product=flops / seconds / statistics.median(bounds[kind]),
                of_data_sheet=None if sheet is None else flops / seconds / sheet,
                # Losses of a quarter of the batch are others
                loss_difference=None if len(case.batches) > 1 else difference,
            )
        )
    return rows, skipped


def build_cases(
    model: dict[str, Any],
    stage: Stage,
    options: Sequence[str],
    device: torch.device | str,
    num_ids: int,
    batch_size: int | None = None,
) -> tuple[dict[str, TrainingCase], dict[str, str]]:
    """Build the plain case and that of each option, of equal weights and batches.

    Args:
        model: See :func:`measure_training`, also for the others.
        stage: See there.
        options: See there.
        device: See there.
        num_ids: See there.
        batch_size: See there.

    Returns:
        Cases by name, and the reason of each option that this stage can't have.
    """
    cameras = model['image_encoder'].get('num_cameras', 1)
    whole = make_up_batch(stage, num_ids, batch_size, cameras)
    size = len(whole['data_samples'])
    cases: dict[str, TrainingCase] = {}
    skipped: dict[str, str] = {}
    for option in (PLAIN, *options):
        changed = apply_option(option, model, stage, size)
        if isinstance(changed, str):
            skipped[option] = changed
            continue
        batches = [whole]
        if option == 'accumulation':
            batches = [
                make_up_batch(stage, num_ids, size // PARTS, cameras, seed=seed)
                for seed in range(PARTS)
            ]
        if option == 'tf32' and torch.device(device).type != 'cuda':
            skipped[option] = 'only GPUs have it'
            continue
        try:
            cases[option] = TrainingCase(
                *changed, batches, num_ids, device, allow_tf32=option == 'tf32'
            )
        except ValueError as error:
            if option == PLAIN:
                raise
            skipped[option] = str(error)
    return cases, skipped


def precision_of(case: TrainingCase) -> str:
    """Return ``'tf32'`` or the precision of a case's step."""
    return 'tf32' if case.allow_tf32 else case.optim_wrapper.precision.name


def measure_bound(case: TrainingCase) -> float:
    """Measure a matrix product in the precision of a case, in FLOP/s."""
    with tf32(case.allow_tf32):
        return measure_product_flops(case.device, case.optim_wrapper.precision.name)


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == 'cuda' else 'CPU'
