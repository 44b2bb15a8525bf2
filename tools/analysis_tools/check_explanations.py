r"""Measure whether a model's maps show what it uses, beside random ones.

    python tools/analysis_tools/check_explanations.py \
        configs/hpl/hpl_tiny_synthpeds.py CHECKPOINT --num 200 --out faithfulness

Deletion: patches are taken out of a query image, the most relevant first, and its lead
is computed again: how much more similar it is to its match than to others' matches, in
units of the whole images'. A faithful map makes it fall fast, so that the area under
the curve is small. Insertion: patches are put into the blurred image; a large area is
good.
On SynthPeds, where the renderer knows what a pixel shows: the share of relevance on the
person, and on the part that a noun of a caption names, alone or with the words that
describe it, and how often the most relevant patch shows it. +- is the standard error.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--num', type=int, default=200, metavar='N', help='images; defaults to 200'
    )
    parser.add_argument('--batch', type=int, default=32, metavar='N')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='folder for the curves; defaults to explanations in work_dirs/<config>',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='change the config',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    args = parser.parse_args()
    if min(args.num, args.batch) < 2:
        parser.error('--num and --batch: expected 2 or more')
    return args


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from prettytable import PrettyTable

from hplreid.apis.explanations import open_checkpoint
from hplreid.apis.explanations.measured import (
    Measured,
    find_captioned,
    find_pairs,
    measure_captions,
    measure_pairs,
    summarize,
)
from hplreid.apis.explanations.single_items import benchmarks_of, open_benchmark
from hplreid.datasets import BaseReIDDataset
from hplreid.datasets.benchmarks.captioned_dataset import CaptionedDataset
from hplreid.engine.config import flags, read_config
from hplreid.models.reid.dual_encoder import DualEncoder
from hplreid.synthpeds.writing.manifest import read_manifest
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import save_figure
from hplreid.visualization.explain import (
    KINDS,
    Pointing,
    choose_features,
    draw_perturbations,
)
from hplreid.visualization.explain.routes import map_layer


def find_masks(dataset: BaseReIDDataset) -> Path | None:
    """Return the folder of the SynthPeds dataset that a benchmark is of, or None."""
    folder = Path(dataset.data_root).parent
    return folder if read_manifest(folder) is not None else None


def to_cell(values: torch.Tensor, scale: float = 1.0) -> str:
    """Format a mean and its standard error."""
    mean, error = summarize(scale * values)
    return f'{mean:.3f} +- {error:.3f}' if scale == 1 else f'{mean:.1f} +- {error:.1f}'


def to_cells(found: list[Pointing]) -> list[str]:
    """Format the share of relevance, of the even map, and of hits, in percent."""
    if not found:
        return ['-', '-', '-']
    values = (torch.cat([getattr(p, n) for p in found]) for n in ('shares', 'hits'))
    area = torch.cat([p.area for p in found])
    return [*(to_cell(v.float(), 100) for v in values), f'{100 * area.mean():.1f}']


def tabulate(measured: dict[str, Measured]) -> PrettyTable:
    """Tabulate what was measured of images."""
    heads = ['maps', 'deletion', 'insertion', 'on person %', 'hits %', 'its area %']
    table = PrettyTable(heads)
    table.align['maps'] = 'l'
    for kind, one in measured.items():
        row = [kind, *(to_cell(one.join_curves(m).areas()) for m in one.curves)]
        table.add_row([*row, *to_cells(one.person)])
    return table


def compare_to_attention(measured: dict[str, Measured]) -> Iterator[str]:
    """Say how much the areas of gradient and attention differ, image by image."""
    if 'attention' in measured:
        for mode in measured['attention'].curves:
            ours, theirs = (
                measured[kind].join_curves(mode).areas()
                for kind in ('gradient', 'attention')
            )
            yield f'{mode}: gradient less attention {to_cell(ours - theirs)}'


def tabulate_words(measured: dict[str, Measured]) -> PrettyTable:
    """Tabulate what was measured of nouns and their phrases."""
    table = PrettyTable(['maps', 'of', 'on the named part %', 'hits %', 'its area %'])
    table.align['maps'] = table.align['of'] = 'l'
    for kind, one in measured.items():
        for name, found in (('noun', one.words), ('phrase', one.phrases)):
            table.add_row([kind, name, *to_cells(found)])
    return table


def follow(
    batches: Iterable[dict[str, Measured]], name: str, total: int, batch: int
) -> dict[str, Measured]:
    """Print how far a measurement is; return what was measured in the end."""
    found: dict[str, Measured] = {}
    for number, measured in enumerate(batches, start=1):
        found = measured
        print(f'{name}: {min(number * batch, total)} of {total} images', flush=True)
    return found


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    config = read_config(args.config, args.cfg_options)
    flags.set_work_dir(config, None)
    out = args.out or Path(config.work_dir) / 'explanations'
    with as_user_errors(FileNotFoundError, where=args.checkpoint):
        opened = open_checkpoint(config, args.checkpoint)
    features = choose_features(opened.model)
    kinds = KINDS if map_layer(opened.model) is None else ('gradient', 'random')
    for name in benchmarks_of(config):
        dataset = open_benchmark(config, name)
        given = dict(kinds=kinds, masks_of=find_masks(dataset), batch=args.batch)
        if not isinstance(dataset, CaptionedDataset):
            cases, what = find_pairs(dataset, args.num), ' + '.join(features)
            batches = measure_pairs(opened, cases, features, **given)
        elif isinstance(opened.model, DualEncoder):
            cases, what = find_captioned(dataset, args.num), opened.model.t2i_feature
            batches = measure_captions(opened, cases, **given)
        else:
            continue
        with as_user_errors(OSError, ValueError, where=name):
            measured = follow(batches, name, len(cases), args.batch)
        print(f'{name}, {what}, {torch.get_num_threads()} thread(s)')
        print(tabulate(measured))
        if measured[kinds[0]].words:
            print(tabulate_words(measured))
        curves = {
            mode: {kind: one.join_curves(mode) for kind, one in measured.items()}
            for mode in ('deletion', 'insertion')
        }
        for line in compare_to_attention(measured):
            print(line)
        figure = draw_perturbations(curves, f'{type(opened.model).__name__}, {name}')
        for suffix in ('png', 'pdf'):
            print(save_figure(figure, out / f'{name}.{suffix}'))


if __name__ == '__main__':
    run_tool(main, ARGS)
