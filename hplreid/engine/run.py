"""Train and test by a config: the whole program of the tools ``train`` and ``test``."""

import gc
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, broadcast_object_list, is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from prettytable import PrettyTable

from hplreid.evaluation.files import read_scores, write_scores
from hplreid.utils.checkpoints.checkpoint import read_checkpoint
from hplreid.utils.checkpoints.load_weights import check_model

from .checkpoint_selection import SELECTION
from .config.check import check_config, check_settings, raise_problems
from .config.checks.benchmarks import find_benchmark_problems
from .config.checks.loops import find_loop_problems
from .config.errors import BUILD_ERRORS, building, explain
from .config.flags import set_seed
from .config.prepare import prepare_data
from .config.resolve import fill_num_ids, inference_config
from .console import open_console
from .data_parallel import init_distributed
from .interruption import in_locked_folder
from .kept_weights import (
    Metrics,
    find_last_checkpoint,
    forget_training,
    save_final_weights,
    score_weights,
)
from .loops.benchmark_loop import TRAINED_ON
from .loops.sub_batch_check import find_sub_batch_problems
from .precision import choose_precision
from .results.folders import (
    LAST,
    ResultExistsError,
    check_evaluation_folder,
    check_new_folder,
    check_training_folder,
    make_evaluation_folder,
    make_room_for_training,
)
from .runner import ReIDRunner
from .tf32 import set_tf32

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
    raise_problems(config, find_loop_problems(config))
    set_tf32(False)
    dist_cfg = (config.get('env_cfg') or {}).get('dist_cfg') or {}
    init_distributed(config.get('launcher', 'none'), dist_cfg)
    open_console()  # which only the first process has
    check_settings(config)  # before data are made: a slip costs no time
    if training:
        raise_problems(config, find_sub_batch_problems(config))
    try:
        prepare_data(config)
    except (ValueError, OSError, KeyError) as error:
        raise_problems(config, [explain(error)])
    check_config(config)
    problems = find_benchmark_problems(config)
    if training:
        try:
            fill_num_ids(config)
        except BUILD_ERRORS as error:
            problems.insert(0, f'train_dataloader: {explain(error)}')
    raise_problems(config, problems)


def build_runner(config: Config) -> Runner:
    """Build MMEngine's runner, or the one that ``runner_type`` of the config names."""
    if 'runner_type' in config:
        return RUNNERS.build(config)
    with building('The run'):
        return ReIDRunner.from_cfg(config)


@in_locked_folder
def train(config: Config, test: bool = True, overwrite: bool = False) -> Metrics | None:
    """Train a model and, if the config has benchmarks, test the weights that are kept.

    These are the weights of the last epoch, as hooks such as ``EMAHook`` save them, or
    those of the best one where the checkpoint hook selects it (``save_best``). Then the
    last epoch is scored, too, with files in ``test/last`` of the work folder.

    Args:
        config: A config that :func:`prepare_run` has prepared.
        test: Whether to test.
        overwrite: Whether results and checkpoints of another training in the work
            folder are removed.

    Returns:
        The scores, which ``BenchmarkLoop`` also writes to ``metrics.json`` in the work
        folder; None without a test.

    Raises:
        ResultExistsError: The work folder has another training, and this one neither
            resumes nor overwrites it.
    """
    said = _make_room(config, overwrite)
    runner = build_runner(config)
    if said:
        runner.logger.warning(said)
    runner.train()
    weights = save_final_weights(runner)
    metrics = None
    if test and config.get('test_cfg') is not None:
        metrics = _score_kept_weights(runner, config, weights)
    runner.logger.info(
        f'Log, config, checkpoints and scores are in {config.work_dir}. To test the '
        f'weights again: python tools/test.py {config.filename or "CONFIG"} {weights}'
    )
    return metrics


def check_training_folders(
    config: Config, seeds: Sequence[int] = (), overwrite: bool = False
) -> None:
    """Check, before anything else is done, that a training would replace no other one.

    Args:
        config: The config of the training.
        seeds: The seeds of :func:`train_seeds`; empty for :func:`train`.
        overwrite: Whether it may replace another one.

    Raises:
        ResultExistsError: A work folder has another training, and this one neither
            resumes nor overwrites it; or it begins from a checkpoint that would be
            removed; or the folder for features has files.
    """
    _check_features(config, overwrite)
    work_dir = Path(config.work_dir)
    for folder in (work_dir, *(work_dir / f'seed_{seed}' for seed in seeds)):
        check_training_folder(
            folder, bool(config.get('resume')), overwrite, config.get('load_from')
        )


def _check_features(config: Config, overwrite: bool) -> None:
    """Check that a folder for features which a config names is empty."""
    folder = (config.get('test_cfg') or {}).get('dump_features')
    if isinstance(folder, str):
        check_new_folder(folder, 'test_cfg.dump_features', overwrite)


def _make_room(config: Config, overwrite: bool) -> str:
    """Make the work folder free of results; return what was done, on every process."""
    check_training_folders(config, overwrite=overwrite)
    barrier()  # no process looks while another one removes
    said = ['']
    if is_main_process():
        resume = bool(config.get('resume'))
        said = [make_room_for_training(config.work_dir, resume, overwrite)]
    broadcast_object_list(said)
    return said[0]


def _score_kept_weights(runner: Runner, config: Config, weights: Path) -> Metrics:
    """Test the final weights and, where these are not of the last epoch, that one."""
    in_fp32 = choose_precision('fp32')
    record, epoch = runner.message_hub.get_info(SELECTION), runner.epoch
    last = find_last_checkpoint(runner) if record and record['epoch'] != epoch else None
    forget_training(runner, config)
    if last is None:
        return score_weights(runner, weights, in_fp32, in_file=True)
    runner.logger.info(f'Scores of the last epoch, {last.name}, which is not selected:')
    loop = runner.test_loop
    own = {key: getattr(loop, key, None) for key in ('folder', 'dump_features')}
    loop.folder = Path(config.work_dir) / 'test' / LAST
    loop.dump_features = own['dump_features'] and True
    runner.message_hub.update_info(SELECTION, None)
    of_last = score_weights(runner, last, in_fp32, in_file=True)
    runner.logger.info(f'Scores of the selected epoch, {weights.name}:')
    vars(loop).update(own)
    runner.message_hub.update_info(SELECTION, record)
    metrics = score_weights(runner, weights, in_fp32, in_file=True)
    table = PrettyTable(
        ['score', f'selected: epoch {record["epoch"]}', f'last: epoch {epoch}']
    )
    table.align['score'] = 'l'
    for name, value in metrics.items():
        table.add_row([name, f'{value:.2f}', f'{of_last[name]:.2f}'])
    runner.logger.info(f'Which epoch has which scores:\n{table}')
    return metrics


def score(
    config: Config,
    checkpoint: str,
    precision: str = 'fp32',
    *,
    tag: str | None = None,
    overwrite: bool = False,
    allow_missing: bool = False,
) -> tuple[Metrics, Path]:
    """Test a checkpoint on the benchmarks of a config.

    The model is built for inference, with weights from the checkpoint alone. Log,
    config and results go to a folder of their own, ``<work_dir>/test/<tag or time>``.

    Args:
        config: A config. Its keys about training are ignored.
        checkpoint: The file of the weights.
        precision: In which to encode, see :func:`.choose_precision`. Distances are
            computed in fp32 in any case.
        tag: Name of the evaluation; None for the time.
        overwrite: Whether it may replace an evaluation of that name, and files in a
            folder of ``test_cfg.dump_features``.
        allow_missing: Whether weights that the checkpoint lacks stay random, which is
            said loudly.

    Returns:
        The scores, and the folder of the results.

    Raises:
        ConfigError: The config can't be tested.
        ValueError: The device can't compute in the precision.
        CheckpointError: The checkpoint can't be read, is of another method, or doesn't
            fit the model.
        FileNotFoundError: The checkpoint doesn't exist.
        ResultExistsError: There is an evaluation of that name, or the folder for
            features has files.
    """
    chosen = choose_precision(precision)
    check_evaluation_folder(config.work_dir, tag, overwrite)
    _check_features(config, overwrite)
    # Read first: a wrong file should be reported before anything that takes longer
    content = read_checkpoint(checkpoint)
    meta = content.get('meta') or {}
    inference = inference_config(config)
    check_model(content, inference.model, checkpoint)
    prepare_run(inference, training=False)
    folder = _make_folder(config.work_dir, tag, overwrite)
    inference.work_dir = str(folder)
    # The config that is saved in the folder is the whole one
    runner = ReIDRunner(
        **{key: inference.get(key) for key in _TEST_KEYS if key in inference},
        load_from=checkpoint,
        cfg=config,
    )
    runner.message_hub.update_info(TRAINED_ON, _training_data(meta))
    runner.message_hub.update_info(SELECTION, meta.get(SELECTION))
    runner.logger.info(f'Encoding in {chosen}')
    metrics = score_weights(
        runner, checkpoint, chosen, inference.model, allow_missing=allow_missing
    )
    runner.logger.info(f'Log, config and scores are in {folder}.')
    return metrics, folder


def _make_folder(work_dir: str, tag: str | None, overwrite: bool) -> Path:
    """Make the folder of an evaluation, one for all processes."""
    outcome: list[Any] = [None]
    if is_main_process():
        try:
            outcome = [make_evaluation_folder(work_dir, tag, overwrite)]
        except (ResultExistsError, OSError) as error:
            outcome = [error]
    # The others wait here: an error that only process 0 knew would hang them
    broadcast_object_list(outcome)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _training_data(meta: dict) -> str | None:
    """Return the name of the training set in a checkpoint's ``meta``, or None."""
    metainfo = meta.get('dataset_meta') or {}
    return metainfo.get('dataset_name')


@in_locked_folder
def train_seeds(
    config: Config, seeds: Sequence[int], test: bool = True, overwrite: bool = False
) -> None:
    """Train once for each seed, then print mean and standard deviation of the scores.

    Each seed has a folder ``seed_<n>`` in the work folder, and ``seeds.json`` in the
    work folder has the summary.

    Args:
        config: A config that :func:`prepare_run` has prepared.
        seeds: The seeds.
        test: Whether to test.
        overwrite: Whether other trainings of these seeds are replaced.

    Raises:
        ResultExistsError: See :func:`train`.
    """
    said = _make_room(config, overwrite)  # for the summary
    if said and is_main_process():
        print(said)
    results: dict[int, Metrics] = {}
    for seed in seeds:
        run = deepcopy(config)
        set_seed(run, seed)
        run.work_dir = str(Path(config.work_dir) / f'seed_{seed}')
        # Loggers and histories are found by this name, to the second
        run.experiment_name = f'{Path(config.filename or "run").stem}_seed_{seed}'
        results[seed] = train(run, test, overwrite) or {}
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    if is_main_process() and all(results.values()):
        print(summarize_seeds(results, Path(config.work_dir) / 'seeds.json'))


def summarize_seeds(results: dict[int, Metrics], path: Path) -> PrettyTable:
    """Write and tabulate mean and standard deviation of each score over seeds.

    Args:
        results: Scores of each seed.
        path: JSON file to write. Its ``provenance`` has that of each seed, read from
            ``seed_<n>/metrics.json`` beside it.

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
    files = {f'{s}': path.parent / f'seed_{s}' / 'metrics.json' for s in results}
    provenance = {s: read_scores(f)[1] for s, f in files.items() if f.is_file()}
    write_scores(path, summary, provenance)
    return table
