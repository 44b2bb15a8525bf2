r"""Measure the training steps of configs, with and without each option.

    python tools/analysis_tools/benchmark_training.py configs/hpl/hpl_tiny_synthpeds.py
    python tools/analysis_tools/benchmark_training.py --batch 8 --rounds 2 \
        configs/irra/irra_vitb16_cuhk-pedes.py configs/hpl/hpl_vitb16_joint.py

For each stage: images a second, the time of a step and of its parts (data to the
device, forward, backward, update of the parameters), and the memory of model, optimizer
and step. ``bound`` is the share of what the device can do: the operations of the plain
step (matrix products and convolutions, none counted twice where an option computes it
twice) over the time of the step, divided by what a large matrix product reaches in the
same precision in the same run. ``loss`` is the relative difference of the first loss
to the plain one's. Rounds alternate, so that a slow moment affects all.

With the size of a training set a second table has the parameters that each config
trains and the time of all its epochs, also beside those of the first config, as papers
compare methods (CLIP-ReID and PromptSG on Market-1501, say). Validation and the loading
of images aren't in it:

    python tools/analysis_tools/benchmark_training.py --num-images 12936 --num-ids 751 \
        configs/clip_reid/clip-reid_vitb16_market1501.py \
        configs/promptsg/promptsg_vitb16_market1501.py

Models, losses and optimizers are those of the config; weights, images, captions and
identities are made up, so that no dataset is needed and loading is not measured.
"""

import argparse
from pathlib import Path

# Of hplreid.engine.measurement.OPTIONS, which takes seconds to import
NAMES = (
    'fp32',
    'tf32',
    'bf16',
    'compile',
    'checkpointing',
    'channels_last',
    'accumulation',
    'sub_batches',
)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--stages', nargs='+', help='names; all by default')
    parser.add_argument(
        '--options',
        nargs='*',
        choices=NAMES,
        default=[],
        metavar='OPTION',
        help=f'beside the config as it is: {", ".join(NAMES)}',
    )
    parser.add_argument('--all-options', action='store_true', help='all of them')
    parser.add_argument('--batch', type=int, help="items; the config's by default")
    parser.add_argument('--num-ids', type=int, default=1000)
    parser.add_argument(
        '--num-images',
        type=int,
        help='images, or captions, of a training set, for the time of a whole training',
    )
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--device', choices=['cpu', 'cuda'])
    parser.add_argument('--out', help='JSON file of everything measured')
    parser.add_argument('--cfg-options', nargs='+', action='extend')
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from prettytable import PrettyTable

from hplreid.engine.config import read_config
from hplreid.engine.loops import parse_stages
from hplreid.engine.measurement import count_trained, measure_training
from hplreid.engine.tf32 import set_tf32
from hplreid.utils.atomic_files import write_json
from hplreid.utils.run_tool import run_tool

PARTS = ('data', 'forward', 'backward', 'update')


def measure_config(path: str, args: argparse.Namespace, device: str) -> list[dict]:
    """Measure the stages of a config; return what is known of each."""
    config = read_config(path, args.cfg_options)
    stages = parse_stages(
        config.train_cfg.stages,
        dict(config.optim_wrapper),
        config.train_dataloader.to_dict(),
    )
    results = []
    trained = count_trained(config.model.to_dict(), stages, args.num_ids)
    for stage in stages:
        if args.stages and stage.name not in args.stages:
            continue
        rows, skipped = measure_training(
            config.model.to_dict(),
            stage,
            NAMES if args.all_options else args.options,
            device,
            args.num_ids,
            args.batch,
            args.rounds,
        )
        results.append(
            dict(
                config=path,
                stage=stage.name,
                epochs=stage.epochs,
                trained_by_any=trained,
                rows=rows,
                skipped=skipped,
            )
        )
    return results


def describe(number: int, result: dict) -> str:
    """Return what a number of the table stands for."""
    plain = result['rows'][0]
    lines = [
        f'{number}: {result["config"]}, stage {result["stage"]}: {plain["images"]} '
        f'images and {plain["captions"]} captions a step '
        f'({plain["captions_per_s"]:.1f} captions/s), {plain["flops"] / 1e12:.3f} TFLOP'
    ]
    lines += [f'   no {name}: {why}' for name, why in result['skipped'].items()]
    return '\n'.join(lines)


def make_table(results: list[dict]) -> PrettyTable:
    """Return the table of all results, 100 columns wide at most."""
    names = ['', 'option', 'prec.', 'img/s', 'speed', 'ms', *PARTS, 'MiB', 'bound']
    table = PrettyTable([*names, 'loss'])
    table.align = 'r'
    table.align['option'] = 'l'
    table.padding_width = 0
    for number, result in enumerate(results, 1):
        for row in result['rows']:
            loss, memory = row['loss_difference'], row['memory']
            table.add_row(
                [
                    number,
                    row['option'],
                    row['precision'],
                    f'{row["images_per_s"]:.1f}',
                    f'{row["speed"]:.2f}',
                    f'{1000 * row["seconds"]:.0f}',
                    *(f'{1000 * row["parts"][p]:.0f}' for p in PARTS),
                    '-' if memory is None else f'{memory / 2**20:,.0f}',
                    f'{100 * row["of_product"]:.0f}%',
                    '-' if loss is None else f'{loss:.0e}',
                ],
                divider=row is result['rows'][-1],
            )
    return table


def make_totals(results: list[dict], num_images: int) -> PrettyTable:
    """Return the table of whole trainings, as the configs have them."""
    stages: dict[str, list[dict]] = {}
    for result in results:
        stages.setdefault(result['config'], []).append(result)
    seconds = {
        config: sum(
            r['epochs'] * num_images / r['rows'][0]['images_per_s'] for r in own
        )
        for config, own in stages.items()
    }
    first = next(iter(seconds.values()))
    table = PrettyTable(['config', 'trained, M', 'hours', 'relative'])
    table.align = 'r'
    table.align['config'] = 'l'
    for config, own in stages.items():
        table.add_row(
            [
                Path(config).stem,
                f'{own[0]["trained_by_any"] / 1e6:.2f}',
                f'{seconds[config] / 3600:.2f}',
                f'{seconds[config] / first:.2f}',
            ]
        )
    return table


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    init_default_scope('hplreid')
    set_tf32(False)
    MMLogger.get_current_instance().setLevel('WARNING')  # a line for each group
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    name = torch.cuda.get_device_name() if device == 'cuda' else 'CPU'
    results = [r for path in args.configs for r in measure_config(path, args, device)]
    print(
        f'{name}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}, '
        f'median of {args.rounds} rounds; times in ms'
    )
    for number, result in enumerate(results, 1):
        print(describe(number, result))
    print(make_table(results))
    if args.num_images:
        print(make_totals(results, args.num_images))
    if args.out:
        facts = dict(device=name, torch=torch.__version__, rounds=args.rounds)
        write_json(args.out, dict(facts, results=results))


if __name__ == '__main__':
    run_tool(main, ARGS)
