"""Train and test by a config: the whole program of the tools ``train`` and ``test``."""

import gc
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from prettytable import PrettyTable

from hplreid.utils.atomic_files import write_json
from hplreid.utils.checkpoints.checkpoint import read_checkpoint, to_plain
from hplreid.utils.checkpoints.load_weights import check_model, load_inference_weights
from hplreid.utils.checkpoints.weights_file import write_weights
from hplreid.version import __version__

from .checkpoint_selection import SELECTION, load_best_weights
from .config.check import check_config, check_types, raise_problems
from .config.check_benchmarks import find_benchmark_problems
from .config.flags import set_seed
from .config.prepare import prepare_data
from .config.resolve import fill_num_ids, inference_config
from .console import open_console
from .data_parallel import init_distributed, unwrap
from .identity_map import fingerprint_identities
from .loops.benchmark_loop import TRAINED_ON
from .precision import choose_precision
from .runner import ReIDRunner
from .tf32 import set_tf32

Metrics = dict[str, float]
"""Scores in percent, by ``<benchmark>/<metric>``."""

# What MMEngine's runner needs to test
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


def prepare_run(config: Config, training: bool = True) -> None:
    """Make what a run needs and check its config, before any model is built.

    The process group is initialized, datasets and image caches of ``data_preparers``
    are made, and the annotations of all datasets are read.

    Args:
        config: The config. For a training its ``model.num_ids`` is set.
        training: Whether it will be trained, so that identities must be counted.

    Raises:
        ConfigError: The config can't run.
    """
    open_console()
    set_tf32(False)
    dist_cfg = (config.get('env_cfg') or {}).get('dist_cfg') or {}
    init_distributed(config.get('launcher', 'none'), dist_cfg)
    check_types(config)  # before data are made: a misspelled name costs no time
    try:
        prepare_data(config)
    except (ValueError, FileExistsError) as error:
        raise_problems(config, [str(error)])
    check_config(config)
    problems = find_benchmark_problems(config)
    if training:
        try:
            fill_num_ids(config)
        except (ValueError, FileNotFoundError) as error:
            problems.insert(0, f'train_dataloader: {error}')
    raise_problems(config, problems)


def build_runner(config: Config) -> Runner:
    """Build MMEngine's runner, or the one that ``runner_type`` of the config names."""
    if 'runner_type' in config:
        return RUNNERS.build(config)
    return ReIDRunner.from_cfg(config)


def train(config: Config, test: bool = True) -> Metrics | None:
    """Train a model and, if the config has benchmarks, test it.

    The weights of the last epoch are tested, or those of the best one where the
    checkpoint hook selects it (``save_best``).

    Args:
        config: A config that :func:`prepare_run` has prepared.
        test: Whether to test.

    Returns:
        The scores, which ``BenchmarkLoop`` also writes to ``metrics.json`` in the work
        folder; None without a test.
    """
    runner = build_runner(config)
    runner.train()
    load_best_weights(runner)
    weights = save_final_weights(runner)
    metrics = None
    if test and config.get('test_cfg') is not None:
        runner._has_loaded = True  # else the resumed checkpoint would be loaded
        metrics = runner.test()
    runner.logger.info(
        f'Log, config, checkpoints and scores are in {config.work_dir}. To test the '
        f'weights again: python tools/test.py {config.filename or "CONFIG"} {weights}'
    )
    return metrics


def save_final_weights(runner: Runner) -> Path:
    """Write the weights of a run, without optimizer, with its config and label map.

    Returns:
        ``final.safetensors`` in the work folder.
    """
    path = Path(runner.cfg.work_dir) / 'final.safetensors'
    if is_main_process():
        dataset_meta = getattr(runner.train_dataloader.dataset, 'metainfo', None)
        meta = dict(
            cfg=runner.cfg.pretty_text,
            seed=runner.seed,
            epoch=runner.epoch,
            iter=runner.iter,
            experiment_name=runner.experiment_name,
            hplreid_version=__version__,
            dataset_meta=to_plain(dataset_meta or {}),
            identities=fingerprint_identities(runner.train_dataloader.dataset),
            selection=runner.message_hub.get_info(SELECTION),
        )
        write_weights(path, unwrap(runner.model).state_dict(), meta)
    return path


def score(
    config: Config,
    checkpoint: str,
    precision: str = 'fp32',
    allow_missing: bool = False,
) -> Metrics:
    """Test a checkpoint on the benchmarks of a config.

    The model is built for inference, with weights from the checkpoint alone.

    Args:
        config: A config. Its keys about training are ignored.
        checkpoint: The file of the weights.
        precision: In which to encode, see :func:`.choose_precision`. Distances are
            computed in fp32 in any case.
        allow_missing: Whether weights that the checkpoint lacks stay random, which is
            said loudly.

    Returns:
        The scores.

    Raises:
        ConfigError: The config can't be tested.
        ValueError: The device can't compute in the precision.
        CheckpointError: The checkpoint can't be read, is of another method, or doesn't
            fit the model.
        FileNotFoundError: The checkpoint doesn't exist.
    """
    chosen = choose_precision(precision)
    # Read first: a wrong file should be reported before anything that takes longer
    content = read_checkpoint(checkpoint)
    meta = content.get('meta') or {}
    inference = inference_config(config)
    check_model(content, inference.model, checkpoint)
    prepare_run(inference, training=False)
    # The config that is saved in the work folder is the whole one
    runner = ReIDRunner(
        **{key: inference.get(key) for key in _TEST_KEYS if key in inference},
        load_from=checkpoint,
        cfg=config,
    )
    loaded = load_inference_weights(
        unwrap(runner.model), checkpoint, inference.model, allow_missing
    )
    (runner.logger.warning if allow_missing else runner.logger.info)(loaded)
    runner._has_loaded = True  # the runner would load with strict=False
    runner.message_hub.update_info(TRAINED_ON, _training_data(meta))
    runner.message_hub.update_info(SELECTION, meta.get(SELECTION))
    runner.logger.info(f'Encoding in {chosen}')
    runner.model.test_step = chosen.autocast()(runner.model.test_step)
    return runner.test()


def _training_data(meta: dict) -> str | None:
    """Return the name of the training set in a checkpoint's ``meta``, or None."""
    metainfo = meta.get('dataset_meta') or {}
    return metainfo.get('dataset_name')


def train_seeds(config: Config, seeds: Sequence[int], test: bool = True) -> None:
    """Train once for each seed, then print mean and standard deviation of the scores.

    Each seed has a folder ``seed_<n>`` in the work folder, and ``seeds.json`` in the
    work folder has the summary.
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
    """Write and tabulate mean and standard deviation of each score over seeds.

    Args:
        results: Scores of each seed.
        path: JSON file to write.

    Returns:
        A table with one row per score: its value for each seed, their mean, and their
        sample standard deviation (the column ``spread``).
    """
    table = PrettyTable(['score', *(f'seed {s}' for s in results), 'mean', 'spread'])
    table.align['score'] = 'l'
    summary = {}
    for name in next(iter(results.values())):
        values = [metrics[name] for metrics in results.values()]
        spread = stdev(values) if len(values) > 1 else 0.0
        summary[name] = dict(mean=mean(values), spread=spread, values=values)
        cells = [*values, mean(values), spread]
        table.add_row([name, *(f'{cell:.2f}' for cell in cells)])
    write_json(path, summary)
    return table
