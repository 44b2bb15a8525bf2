"""Examine datasets: counts, broken files, copies, identities, cameras, captions.

python tools/dataset_tools/doctor.py configs/hpl/hpl_vitb16_joint.py --out doctor
python tools/dataset_tools/doctor.py Market1501:data/Market-1501-v15.09.15

For a config, all datasets of its loaders are examined, including those inside joint
datasets. The exit status is 0 without errors (warnings don't count), 1 with errors, and
2 if nothing could be examined. See docs/doctor.md.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('target', help='config file, or CLASS:FOLDER')
    parser.add_argument(
        '--against', metavar='OTHER', help='config or CLASS:FOLDER to compare it with'
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='folder for report.json, report.txt and an image sheet per camera',
    )
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='number of threads; defaults to the number of cores, at most 8',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='check that files exist, but neither decode nor compare them',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='override the config; for CLASS:FOLDER, arguments of the class '
        '(expected=None for data that only shares the layout)',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if args.workers is not None and args.workers < 1:
        parser.error(f'--workers must be at least 1, got {args.workers}')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hplreid.datasets.doctor import (
    SplitConfig,
    examine,
    find_split_configs,
    parse_dataset,
)
from hplreid.datasets.doctor.file_inspection import FileFacts
from hplreid.datasets.doctor.image_selection import choose_sheet_images
from hplreid.datasets.doctor.split_reader import Split
from hplreid.engine.config.options import parse_options
from hplreid.engine.config.prepare import prepare_data
from hplreid.engine.config.read import read_config
from hplreid.engine.config.resolve import merge_config
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization.camera_sheet import draw_camera_sheet

_CONFIGS = ('.py', '.json', '.yml', '.yaml')


def find_target(target: str, options: Mapping[str, Any] | None) -> list[SplitConfig]:
    """Return the splits of a config file or of ``CLASS:FOLDER``.

    Raises:
        ValueError, KeyError, OSError: There are none; the message says why.
    """
    if not target.endswith(_CONFIGS) or target.partition(':')[2]:
        return parse_dataset(target, options or {})
    config = read_config(target, dict(options or {}))
    make_missing_data(config)
    splits = [
        split
        for dataset, same_camera in find_datasets(config)
        for split in find_split_configs(dataset, same_camera)
    ]
    if not splits:
        raise ValueError(f"'{target}' has no datasets in its loaders.")
    return splits


def make_missing_data(config: Config) -> None:
    """Run the data preparers whose output does not exist; keep existing output."""
    preparers = config.get('data_preparers') or []
    missing = [p for p in preparers if 'out' in p and not os.path.exists(p['out'])]
    prepare_data(Config({'data_preparers': missing}))


def find_datasets(config: Config) -> Iterator[tuple[Any, str]]:
    """Yield the config of each dataset, and the camera rule of its metric."""
    options = config.to_dict()
    if train := options.get('train_dataloader'):
        yield train.get('dataset'), 'drop'
        for stage in ((options.get('train_cfg') or {}).get('stages') or {}).values():
            stage_loader = merge_config(train, stage.get('train_dataloader'))
            yield stage_loader.get('dataset'), 'drop'
    for mode in ('val', 'test'):
        loaders = options.get(f'{mode}_dataloader') or {}
        evaluators = options.get(f'{mode}_evaluator') or {}
        if 'dataset' in loaders:
            loaders, evaluators = {'': loaders}, {'': evaluators}
        for name, loader in loaders.items():
            yield loader.get('dataset'), find_camera_rule(evaluators.get(name))


def find_camera_rule(evaluator: Any) -> str:
    """Return the option ``same_camera`` of an evaluator's metrics."""
    metrics = evaluator if isinstance(evaluator, list) else [evaluator or {}]
    rules = [m['same_camera'] for m in metrics if m.get('same_camera')]
    return rules[0] if rules else 'drop'


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_sheets(
    out: Path, splits: Sequence[Split], facts: Mapping[str, FileFacts]
) -> list[Path]:
    """Draw a sheet for each camera of each dataset; return the paths."""
    paths = []
    for dataset_name in dict.fromkeys(split.dataset_name for split in splits):
        own_splits = [split for split in splits if split.dataset_name == dataset_name]
        for camera, sheet in choose_sheet_images(own_splits, facts).items():
            name = f'camera {camera}' if camera >= 0 else 'camera unknown'
            image = draw_camera_sheet(f'{dataset_name}, {name}', sheet)
            buffer = BytesIO()
            image.save(buffer, format='PNG')
            path = out / f'{_to_file_name(dataset_name)}_{_to_file_name(name)}.png'
            write_atomically(path, buffer.getvalue())
            paths.append(path)
    return paths


def _to_file_name(text: str) -> str:
    return ''.join(c if c.isalnum() or c in '-.' else '_' for c in text)


def main(args: argparse.Namespace) -> int:
    """Examine the datasets, print the report, write it; return the exit status."""
    with as_user_errors(ValueError, KeyError, OSError):
        options = parse_options(args.cfg_options)
        splits_to_examine = find_target(args.target, options)
        against = find_target(args.against, None) if args.against else []
    report, splits, facts = examine(
        args.target,
        splits_to_examine,
        against,
        args.workers,
        args.quick,
        progress=True,
    )
    text = report.to_text()
    print(text, end='')
    if args.out is not None:
        write_atomically(args.out / 'report.json', report.to_json().encode())
        write_atomically(args.out / 'report.txt', text.encode())
        sheets = write_sheets(args.out, splits, facts)
        print(f'{args.out}: report.json, report.txt and {len(sheets)} sheets')
    return 0 if report.healthy else 1


if __name__ == '__main__':
    run_tool(main, ARGS)
