"""From a config to trained weights and their scores."""

import gc
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from prettytable import PrettyTable

from hplreid.utils.checkpoint import read_checkpoint
from hplreid.utils.load_weights import load_inference_weights

from .checkpoint_selection import SELECTION, load_selected
from .config.check import check_config, check_types, raise_if
from .config.check_benchmarks import find_benchmark_problems
from .config.prepare import prepare_data
from .config.read import set_seed
from .config.resolve import fill_num_ids, inference_config
from .data_parallel import init_distributed
from .loops.benchmark_loop import TRAINED_ON

Metrics = dict[str, float]

_TEST_KEYS = (
    'model',
    'work_dir',
    'test_dataloader',
    'test_cfg',
    'test_evaluator',
    'default_hooks',
    'custom_hooks',
    'data_preprocessor',
    'launcher',
    'env_cfg',
    'log_processor',
    'log_level',
    'visualizer',
    'default_scope',
    'randomness',
    'experiment_name',
)


def get_ready(config: Config, training: bool = True) -> None:
    """Join the other processes, make data, check the config, read all annotations.

    Args:
        config: The config, which gets ``model.num_ids``.
        training: Whether it will be trained, and so needs the number of identities.

    Raises:
        PreflightError: The config can't run. No model has been built then.
    """
    dist_cfg = (config.get('env_cfg') or {}).get('dist_cfg') or {}
    init_distributed(config.get('launcher', 'none'), dist_cfg)
    check_types(config)  # a misspelled name should not wait for data to be made
    try:
        prepare_data(config)
    except (ValueError, FileExistsError) as error:
        raise_if(config, [str(error)])
    check_config(config)
    problems = find_benchmark_problems(config)
    if training:
        try:
            fill_num_ids(config)
        except (ValueError, FileNotFoundError) as error:
            problems.insert(0, f'train_dataloader: {error}')
    raise_if(config, problems)


def build_runner(config: Config) -> Runner:
    """Build MMEngine's runner, or the one that the config names as ``runner_type``."""
    if 'runner_type' in config:
        return RUNNERS.build(config)
    return Runner.from_cfg(config)


def train(config: Config, test: bool = True) -> Metrics | None:
    """Train and, if the config has benchmarks, score the final weights.

    Where the checkpoint hook selects (``save_best``), the selected ones are scored.

    Args:
        config: A config that is ready, see :func:`get_ready`.
        test: Whether to score.

    Returns:
        The scores, which ``BenchmarkLoop`` leaves in ``metrics.json`` of the work
        folder too; None if there are none.
    """
    runner = build_runner(config)
    runner.train()
    metrics = None
    if test and config.get('test_cfg') is not None:
        load_selected(runner)
        runner._has_loaded = True  # what was trained is scored, not what was resumed
        metrics = runner.test()
    return metrics


def score(config: Config, checkpoint: str, amp: bool = False) -> Metrics:
    """Score a checkpoint on the benchmarks of a config.

    The model is built as inference needs it, from nothing but the checkpoint.

    Args:
        config: A config. What it says about training doesn't matter.
        checkpoint: The weights.
        amp: Whether to encode in bf16. Scores are computed in fp32 all the same.

    Raises:
        PreflightError: The config can't be tested.
        CheckpointError: The checkpoint can't be read, or isn't one of this model.
        FileNotFoundError: There is no such checkpoint.
    """
    # Before anything that takes longer
    meta = read_checkpoint(checkpoint).get('meta') or {}
    needed = inference_config(config)
    get_ready(needed, training=False)
    # The config that is left in the work folder is the whole one
    runner = Runner(
        **{key: needed.get(key) for key in _TEST_KEYS if key in needed},
        load_from=checkpoint,
        cfg=config,
    )
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    runner.logger.info(load_inference_weights(model, checkpoint))
    runner._has_loaded = True  # more strictly than the runner would have
    runner.message_hub.update_info(TRAINED_ON, _training_data(meta))
    runner.message_hub.update_info(SELECTION, meta.get(SELECTION))
    if amp:
        bf16 = torch.autocast(get_device(), torch.bfloat16)
        runner.model.test_step = bf16(runner.model.test_step)
    return runner.test()


def _training_data(meta: dict) -> str | None:
    """Return the name of the data that a checkpoint says it was trained on."""
    metainfo = meta.get('dataset_meta') or {}
    return metainfo.get('dataset_name')


def train_seeds(config: Config, seeds: Sequence[int], test: bool = True) -> None:
    """Train once for each seed, then print mean and spread of the scores.

    Each seed has a folder ``seed_<n>`` in the work folder; ``seeds.json`` there holds
    the summary.
    """
    results: dict[int, Metrics] = {}
    for seed in seeds:
        run = deepcopy(config)
        set_seed(run, seed)
        run.work_dir = str(Path(config.work_dir) / f'seed_{seed}')
        # Loggers and histories are found by this name, to the second
        run.experiment_name = f'{Path(config.filename or "run").stem}_seed_{seed}'
        results[seed] = train(run, test) or {}
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    if is_main_process() and all(results.values()):
        print(summarize_seeds(results, Path(config.work_dir) / 'seeds.json'))


def summarize_seeds(results: dict[int, Metrics], path: Path) -> PrettyTable:
    """Write and tabulate mean and spread of each score.

    Args:
        results: Scores of each seed.
        path: JSON file to write.

    Returns:
        One row a score: every seed's, their mean and sample standard deviation.
    """
    table = PrettyTable(['score', *(f'seed {s}' for s in results), 'mean', 'spread'])
    table.align['score'] = 'l'
    summary = {}
    for name in next(iter(results.values())):
        values = [metrics[name] for metrics in results.values()]
        spread = stdev(values) if len(values) > 1 else 0.0
        summary[name] = dict(mean=mean(values), spread=spread, values=values)
        numbers = [*values, mean(values), spread]
        table.add_row([name, *(f'{number:.2f}' for number in numbers)])
    write_metrics(summary, path)
    return table


def write_metrics(metrics: dict, path: Path) -> None:
    """Write scores as JSON, in the first process alone."""
    if is_main_process():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(metrics, indent=2) + '\n')
