"""Where scores come from: the record that every file of results carries."""

import functools
import platform
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from hplreid.version import __version__

from ..checkpoint_selection import SELECTION
from .fingerprints import hash_config, hash_dataset, hash_file

# Key in the message hub. MMEngine logs what begins with the name of a loop's mode
_TESTED = 'loaded_weights'
_ROOT = Path(__file__).resolve().parents[3]  # of the package's folder


def note_tested_weights(
    runner: Runner, path: str | Path, weights_hash: str, precision: str
) -> None:
    """Tell :func:`collect_provenance` which weights a runner is about to test.

    Args:
        runner: The runner.
        path: The file of the weights.
        weights_hash: :func:`hash_weights` of the model that has loaded them.
        precision: In which it encodes.
    """
    record = dict(
        path=str(Path(path).expanduser().resolve()),
        sha256=hash_file(Path(path).expanduser()),
        weights_sha256=weights_hash,
        precision=precision,
    )
    runner.message_hub.update_info(_TESTED, record)


def collect_provenance(
    runner: Runner,
    loaders: Mapping[str, DataLoader],
    evaluators: Mapping[str, Evaluator],
    augmentation: str,
) -> dict[str, Any]:
    """Return where the scores of a test come from, in values that JSON can hold.

    Args:
        runner: The runner, after the test.
        loaders: The dataloader of each benchmark.
        evaluators: Its evaluator; ``settings`` of its metrics are recorded.
        augmentation: The test-time augmentation, ``'none'`` without.

    Returns:
        ``checkpoint`` (``path``, ``sha256`` of the file, ``weights_sha256`` of the
        model that has loaded it, ``selection``), ``config``, ``benchmarks`` (for each
        the hash of its ``dataset`` and the ``protocol`` of its metrics), ``tta``,
        ``precision``, ``device``, ``processes``, ``seed``, and what
        :func:`describe_code` returns.
    """
    tested = dict(runner.message_hub.get_info(_TESTED) or {})
    precision = tested.pop('precision', 'fp32')
    # Without a record they are of a runner that somebody else has built
    checkpoint = tested or dict(path=runner._load_from, sha256=None)
    parameter = next(iter(runner.model.parameters()), torch.zeros(()))
    return dict(
        checkpoint=dict(checkpoint, selection=runner.message_hub.get_info(SELECTION)),
        config=dict(
            file=str(runner.cfg.filename or ''), sha256=hash_config(runner.cfg)
        ),
        benchmarks={
            name: dict(
                dataset=hash_dataset(loader.dataset),
                samples=len(loader.dataset),  # type: ignore[arg-type]
                protocol=_protocol(evaluators[name]),
            )
            for name, loader in loaders.items()
        },
        tta=augmentation,
        precision=precision,
        device=_describe_device(parameter.device),
        processes=get_world_size(),
        seed=runner.seed,
        **describe_code(),
    )


def describe_code() -> dict[str, Any]:
    """Return versions, the commit of a checkout (None elsewhere) and the time.

    A commit ends in ``+changes`` if files that it has were changed since.

    Example:
        >>> list(describe_code())
        ['versions', 'commit', 'time']
    """
    versions = dict(
        hplreid=__version__,
        torch=torch.__version__,
        mmengine=mmengine.__version__,
        python=platform.python_version(),
    )
    now = datetime.now().astimezone().isoformat(timespec='seconds')
    return dict(versions=versions, commit=find_commit(_ROOT), time=now)


@functools.cache
def find_commit(root: Path) -> str | None:
    """Return the commit of a folder that is a Git checkout itself, else None.

    A folder inside another repository, as an environment in a project is, has none.
    """
    if not (root / '.git').exists():
        return None
    git = ['git', '--no-optional-locks', '-C', str(root)]
    try:
        commit, changes = (
            subprocess.run(
                [*git, *command],
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
            ).stdout.strip()
            for command in (
                ('rev-parse', 'HEAD'),
                ('status', '--porcelain', '--untracked-files=no'),
            )
        )
    except (OSError, subprocess.SubprocessError):  # no Git here, or not our checkout
        return None
    return commit + ('+changes' if changes else '')


def _protocol(evaluator: Evaluator) -> dict[str, dict[str, str]]:
    """Return the settings of an evaluator's metrics by their prefix, or their class."""
    return {
        metric.prefix or type(metric).__name__: dict(getattr(metric, 'settings', {}))
        for metric in evaluator.metrics
    }


def _describe_device(device: torch.device) -> str:
    if device.type != 'cuda':
        return device.type
    return f'cuda ({torch.cuda.get_device_name(device)})'
