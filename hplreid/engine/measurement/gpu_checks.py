"""Checks of one visit to a GPU: equal to the CPU, resumed exactly, fast, small enough.

Each check is a function of :class:`CheckOptions` that yields rows of what was found.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import Tensor

from hplreid.evaluation import evaluate_ranking, evaluate_reranking
from hplreid.models.reid import BaseReID
from hplreid.registry import MODELS

from ..config import inference_config
from ..config.resolve import forget_pretrained
from ..loops import Stage
from ..precision import choose_precision
from . import made_up_dataset  # noqa: F401 - registers the dataset
from .extraction import make_test_inputs, measure_extraction
from .made_up_data import make_up_batch
from .methods import METHODS, stages_of
from .step_options import apply_option
from .training_benchmark import measure_training
from .training_case import TrainingCase, build_model

# Of a loss, relative and absolute. Half of bf16's last bit is 0.4 %; logits are cosines
# over a temperature of 0.02, so that a loss may differ by more
BF16_BOUND = 0.05, 0.05
FP32_BOUND = 1e-3, 1e-4
COMPARED_STEPS = 2
BATCH, NUM_IDS = 12, 50  # of compared steps
MEMORY_BOUND = 22 * 2**30  # of the papers' cards with 24 GB
GOAL = 0.4  # share of the data sheet's operations


@dataclass(frozen=True)
class CheckOptions:
    """What the checks run on.

    Attributes:
        device: ``'cuda'``, or ``'cpu'`` to try the checks themselves.
        small: Tiny configs and sizes.
        methods: Names of ``METHODS``.
        steps: Training steps of a method.
    """

    device: str = 'cuda'
    small: bool = False
    methods: tuple[str, ...] = tuple(METHODS)
    steps: int = 20

    @property
    def half(self) -> str:
        """The precision that is checked: bf16, but where it is only emulated."""
        return 'bf16' if self.device == 'cuda' else 'fp32'


@dataclass(frozen=True)
class Row:
    """What a check found.

    Attributes:
        what: What was checked or measured.
        value: What was found.
        bound: What was asked for; empty where nothing was.
        passed: Whether it was met.
    """

    what: str
    value: str
    bound: str = ''
    passed: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the row for a JSON file."""
        return asdict(self)


def check_training(options: CheckOptions) -> Iterator[Row]:
    """Take steps of every method's stages and compare the first ones with the CPU."""
    for name in options.methods:
        config = METHODS[name].read(options.small)
        # Built once: random weights of a ViT-B/16 take seconds
        model = build_model(config.model.to_dict(), NUM_IDS)
        for stage in stages_of(config):
            on_cpu = _run_steps(model, stage, 'cpu', 'fp32', COMPARED_STEPS)
            for precision, steps, bound in (
                ('fp32', COMPARED_STEPS, FP32_BOUND),
                (options.half, options.steps, BF16_BOUND),
            ):
                found = _run_steps(model, stage, options.device, precision, steps)
                what = f'{name} {stage.name}, {steps} steps in {precision}'
                yield compare_losses(what, on_cpu, found, bound)


def _run_steps(
    model: BaseReID, stage: Stage, device: str, precision: str, steps: int
) -> list[dict[str, float]]:
    """Return the losses of the first steps of a copy of a model, on a small batch."""
    _, stage = _in_precision({}, stage, precision)
    cameras = getattr(model.image_encoder, 'num_cameras', 1)
    batch = make_up_batch(stage, NUM_IDS, BATCH, cameras)
    torch.manual_seed(0)
    case = TrainingCase(deepcopy(model), stage, [batch], NUM_IDS, device)
    return [case.step() for _ in range(steps)]


def _in_precision(
    model: dict[str, Any], stage: Stage, precision: str
) -> tuple[dict[str, Any], Stage]:
    changed = apply_option(precision, model, stage, 0)
    assert not isinstance(changed, str)
    return changed


def compare_losses(
    what: str,
    expected: list[dict[str, float]],
    found: list[dict[str, float]],
    bound: tuple[float, float],
) -> Row:
    """Return the largest difference of any loss, as a multiple of what it may be."""
    relative, absolute = bound
    worst, place = 0.0, ''
    for step, (a, b) in enumerate(zip(expected, found, strict=False), 1):
        for loss, value in a.items():
            excess = abs(b[loss] - value) / (relative * abs(value) + absolute)
            if excess >= worst:
                worst, place = excess, f'{loss} {b[loss]:.4g} for {value:.4g}'
                place += f' in step {step}'
    finite = all(math.isfinite(x) for losses in found for x in losses.values())
    summary = f'{place}; last loss {found[-1]["loss"]:.4g}'
    return Row(
        what,
        summary if finite else 'a loss is not finite',
        f'CPU in fp32, {relative:.1%} + {absolute:g} (reached: {worst:.0%})',
        finite and worst <= 1,
    )


def check_ranking(options: CheckOptions) -> Iterator[Row]:
    """Compare scores of made-up features with those of the CPU."""
    queries, gallery = (50, 400) if options.small else (1000, 8000)
    rng = np.random.default_rng(0)
    pids = [rng.integers(0, queries // 4, n) for n in (queries, gallery)]
    camids = [rng.integers(0, 6, n) for n in (queries, gallery)]
    centers = rng.normal(size=(queries // 4, 64))
    feats = [
        torch.tensor(centers[p] + 2 * rng.normal(size=(len(p), 64))).float()
        for p in pids
    ]
    feats[1][1::7] = feats[1][::7][: len(feats[1][1::7])]  # copies, which tie
    evaluators: dict[str, Callable[..., Any]] = dict(
        ranking=evaluate_ranking, reranking=evaluate_reranking
    )
    for name, evaluate in evaluators.items():
        cpu = evaluate(*feats, *pids, *camids)
        moved: list[Tensor] = [f.to(options.device) for f in feats]
        found = evaluate(*moved, *pids, *camids)
        same = np.array_equal(found.first_hit, cpu.first_hit)
        worst = np.nanmax(np.abs(found.ap - cpu.ap))
        yield Row(
            f'{name} of {queries} x {gallery}',
            f'AP differs by {worst:.1e}, first matches {"equal" if same else "differ"}',
            'equal to the CPU (1e-6)',
            bool(same and worst <= 1e-6),
        )


def check_resume(options: CheckOptions) -> Iterator[Row]:
    """Train straight and with a resume in between, deterministically."""
    with tempfile.TemporaryDirectory() as folder:
        straight = _train(Path(folder) / 'straight', options)
        middle = Path(folder) / 'straight' / 'iter_10.pth'
        resumed = _train(Path(folder) / 'resumed', options, middle)
    differ = [k for k, v in straight.items() if not torch.equal(v, resumed[k])]
    yield Row(
        'resume of HPL (tiny) after 10 of 20 steps, both stages',
        f'{len(differ)} of {len(straight)} tensors differ {differ[:2]}',
        'equal, bit for bit',
        not differ,
    )


def _train(
    folder: Path, options: CheckOptions, resume: Path | None = None
) -> dict[str, Tensor]:
    """Train the tiny HPL for 8 + 12 steps and return its weights."""
    half = options.half
    config = METHODS['hpl'].read(small=True, options={'optim_wrapper.precision': half})
    for key in ('test_dataloader', 'test_cfg', 'test_evaluator', 'custom_hooks'):
        config.pop(key, None)
    forget_pretrained(config.model)
    config.model.num_ids = 8
    loader = config.train_dataloader
    for key in ('num_workers', 'persistent_workers'):
        loader.pop(key, None)
    loader.batch_size = 8
    loader.sampler.update(num_pairs=4, num_ids=2, num_instances=2)
    loader.dataset = dict(
        type='MadeUpDataset', num_ids=8, num_pairs=2, num_images=2, img_size=(128, 64)
    )
    stages = config.train_cfg.stages
    stages.construct.pop('train_dataloader', None)
    for stage, epochs in ((stages.construct, 2), (stages.align, 3)):
        stage.update(epochs=epochs, param_scheduler=[])
    config.default_hooks.checkpoint.update(
        interval=10, by_epoch=False, max_keep_ckpts=-1
    )
    config.randomness = dict(seed=0, deterministic=True)
    config.update(work_dir=str(folder), experiment_name=folder.name)
    if resume is not None:
        config.update(resume=True, load_from=str(resume))
    config.log_level = 'WARNING'
    runner = Runner.from_cfg(config)
    runner.train()
    return {k: v.cpu() for k, v in runner.model.state_dict().items()}


def measure_throughput(options: CheckOptions) -> Iterator[Row]:
    """Measure training steps at the paper's batch."""
    for name in options.methods:
        method = METHODS[name]
        config = method.read(options.small)
        for stage in stages_of(config):
            if stage.name not in method.timed:
                continue
            model, timed = _in_precision(config.model.to_dict(), stage, options.half)
            rows, _ = measure_training(
                model,
                timed,
                [],
                options.device,
                method.num_ids,
                8 if options.small else None,
                rounds=1 if options.small else 7,
            )
            plain = rows[0]
            sheet = plain['of_data_sheet']
            of_sheet = 'no data sheet' if sheet is None else f'{sheet:.0%} of its sheet'
            missed = sheet is not None and sheet < GOAL
            yield Row(
                f'training, {name} {stage.name}, {plain["images"]} images, '
                f'{plain["captions"]} captions, {plain["precision"]}',
                f'{plain["images_per_s"]:.0f} images/s, {plain["seconds"] * 1e3:.0f} ms'
                f', {plain["of_product"]:.0%} of a product, {of_sheet}'
                + (', below the goal' if missed else ''),
                f'goal: {GOAL:.0%} of the data sheet',
            )


def measure_extraction_speed(options: CheckOptions) -> Iterator[Row]:
    """Measure images a second at test."""
    batch = 8 if options.small else 128
    for name in ('hpl', 'clip_reid'):
        if name not in options.methods:
            continue
        config = inference_config(METHODS[name].read(options.small))
        model = MODELS.build(config.model.to_dict()).to(options.device).eval()
        size = tuple(config.model.image_encoder.img_size)
        inputs = make_test_inputs(model, size, batch, options.device)['images']
        for precision in dict.fromkeys(('fp32', options.half)):
            with choose_precision(precision, options.device).autocast():
                speed = measure_extraction(model, inputs, batch)
            yield Row(
                f'extraction, {name}, {size[0]} x {size[1]}, batch {batch}, '
                f'{precision}',
                f'{speed:.0f} images/s',
            )


def check_memory(options: CheckOptions) -> Iterator[Row]:
    """Measure the memory of steps at the paper's batch, checkpointed if it must be."""
    bound = f'{MEMORY_BOUND / 2**30:.0f} GiB'
    for name in options.methods:
        method = METHODS[name]
        config = method.read(options.small)
        for stage in stages_of(config):
            how, used = 'plain', 0
            for how in ('plain', 'checkpointing'):
                peak = _measure_memory(
                    config.model.to_dict(), stage, method.num_ids, how, options
                )
                if peak is None:  # no tower has it
                    break
                used = peak
                if used < MEMORY_BOUND:
                    break
            yield Row(
                f"memory, {name} {stage.name}, the paper's batch",
                f'{used / 2**30:.1f} GiB, {how}',
                bound,
                used < MEMORY_BOUND,
            )


def _measure_memory(
    model: dict[str, Any],
    stage: Stage,
    num_ids: int,
    how: str,
    options: CheckOptions,
) -> int | None:
    changed = apply_option(how, *_in_precision(model, stage, options.half), 0)
    if isinstance(changed, str):
        return None
    cameras = model['image_encoder'].get('num_cameras', 1)
    batch = make_up_batch(stage, num_ids, 8 if options.small else None, cameras)
    case = TrainingCase(*changed, [batch], num_ids, options.device)
    case.step()
    return case.measure_memory()


CHECKS: dict[str, Callable[[CheckOptions], Iterator[Row]]] = dict(
    training=check_training,
    ranking=check_ranking,
    resume=check_resume,
    throughput=measure_throughput,
    extraction=measure_extraction_speed,
    memory=check_memory,
)
