"""The weights that a training keeps, and the test of weights in a file.

A score is always of a file: the model is built for inference and loads it, and hooks
are new, as in a run of ``tools/test.py``. What hooks did to the trained model, in
``before_run`` or ``after_train``, has no part in it.
"""

import gc
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.runner import Runner
from mmengine.runner.checkpoint import weights_to_cpu

from hplreid.utils.checkpoints.checkpoint import read_checkpoint, to_plain
from hplreid.utils.checkpoints.load_weights import load_inference_weights
from hplreid.utils.checkpoints.weights_file import write_weights
from hplreid.version import __version__

from .checkpoint_selection import SELECTION, read_best_checkpoint
from .config.resolve import inference_config
from .data_parallel import unwrap
from .hooks.kept_weights_hook import KeptWeightsHook, takes_part_in_tests
from .identity_map import fingerprint_identities
from .precision import Precision
from .results.fingerprints import hash_weights
from .results.provenance import note_tested_weights

Metrics = dict[str, float]
"""Scores in percent, by ``<benchmark>/<metric>``."""


def save_final_weights(runner: Runner) -> Path:
    """Write the weights that a training keeps, with its config and label map.

    They are those of the best checkpoint, where the training selects one; else what the
    hooks make of the model's weights when a checkpoint is saved, such as an average.

    Returns:
        ``final.safetensors`` in the work folder.
    """
    path = Path(runner.cfg.work_dir) / 'final.safetensors'
    best = read_best_checkpoint(runner)
    record = best['meta'][SELECTION] if best else None
    runner.message_hub.update_info(SELECTION, record)
    weights = unwrap(runner.model).state_dict()  # of shards every process has a part
    if is_main_process():
        kept = best or _make_checkpoint(runner, weights)
        if best is None:
            _compare_with_last_checkpoint(runner, kept['state_dict'])
        dataset = runner.train_dataloader.dataset
        dataset_meta = getattr(dataset, 'metainfo', None)
        meta = dict(
            cfg=runner.cfg.pretty_text,
            seed=runner.seed,
            epoch=kept['meta']['epoch'],
            iter=kept['meta']['iter'],
            experiment_name=runner.experiment_name,
            hplreid_version=__version__,
            dataset_meta=to_plain(dataset_meta or {}),
            identities=fingerprint_identities(dataset),
            selection=record,
        )
        write_weights(path, kept['state_dict'], meta)
    barrier()  # all processes will read it
    return path


def find_last_checkpoint(runner: Runner) -> Path | None:
    """Return the checkpoint that a training wrote after its last epoch, if it did."""
    name = runner.message_hub.get_info('last_ckpt')
    if name is None or not Path(name).is_file():
        return None
    meta = read_checkpoint(name)['meta']
    return Path(name) if meta.get('epoch') == runner.epoch else None


def forget_training(runner: Runner, config: Config) -> None:
    """Give a runner that has trained a model for inference, and new hooks.

    Its log and visualizer are the same. The trained model, its optimizer and what hooks
    held of them are freed.

    Args:
        runner: The runner.
        config: Its config.
    """
    model = inference_config(config).model
    if config.get('data_preprocessor') is not None:
        model.setdefault('data_preprocessor', config.data_preprocessor)
    runner.optim_wrapper = runner.param_schedulers = runner.model = None
    runner._hooks = []
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    wrapper = runner.cfg.get('model_wrapper_cfg')
    runner.model = runner.wrap_model(wrapper, runner.build_model(model))
    # Copies: hooks are built of what the dicts hold, and take their priority out
    hooks = (deepcopy(config.get(f'{kind}_hooks')) for kind in ('default', 'custom'))
    runner.register_hooks(*hooks)


def score_weights(
    runner: Runner,
    path: str | Path,
    precision: Precision,
    model: Mapping[str, Any] | None = None,
    in_file: bool = False,
    allow_missing: bool = False,
) -> Metrics:
    """Load weights into a runner's model for inference, and test it.

    Args:
        runner: The runner, which hasn't trained or has forgotten it.
        path: The file of the weights.
        precision: In which to encode.
        model: Config of the runner's model, which is compared with that of the file;
            None to compare the weights alone.
        in_file: Whether what was loaded is said in the log file alone.
        allow_missing: Whether weights that the file lacks stay random, which is said
            loudly.

    Returns:
        The scores.

    Raises:
        CheckpointError: The file can't be read, or doesn't fit the model.
        ChangedWeightsError: A hook has changed the weights before the test.
    """
    built = unwrap(runner.model)
    said = load_inference_weights(built, path, model, allow_missing)
    tell = runner.logger.warning if allow_missing else runner.logger.info
    tell(said, extra=dict(file_only=in_file))
    runner._has_loaded = True  # the runner would load with strict=False
    runner._hooks = [hook for hook in runner.hooks if takes_part_in_tests(hook)]
    weights_hash = hash_weights(built)
    guard = KeptWeightsHook(weights_hash, str(path))
    runner.register_hook(guard)
    note_tested_weights(runner, path, weights_hash, precision.name)
    test_step = runner.model.test_step
    runner.model.test_step = precision.autocast()(test_step)
    try:
        return runner.test()
    finally:
        runner.model.test_step = test_step
        runner._hooks.remove(guard)


def _make_checkpoint(
    runner: Runner, weights: dict[str, torch.Tensor]
) -> dict[str, Any]:
    """Return what hooks would save now, without optimizer and schedules."""
    checkpoint: dict[str, Any] = dict(
        meta=dict(epoch=runner.epoch, iter=runner.iter),
        state_dict=weights_to_cpu(weights),
        message_hub=runner.message_hub.state_dict(),
        optimizer={},
        param_schedulers=[],
    )
    runner.call_hook('before_save_checkpoint', checkpoint=checkpoint)
    return checkpoint


def _compare_with_last_checkpoint(
    runner: Runner, weights: dict[str, torch.Tensor]
) -> None:
    """Warn if the last checkpoint has other weights than those that are kept."""
    path = find_last_checkpoint(runner)
    if path is None:
        return
    saved = read_checkpoint(path)['state_dict']
    if saved.keys() == weights.keys() and all(
        torch.equal(saved[name], value.cpu()) for name, value in weights.items()
    ):
        return
    runner.logger.warning(
        f'A hook has changed the weights after {path.name} was saved. The scores are '
        f'those of final.safetensors, which has the changed weights; {path.name} has '
        'those from before.'
    )
