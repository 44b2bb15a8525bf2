"""Print the parameters of a config's model, part by part, in training and at test.

    python tools/analysis_tools/count_parameters.py configs/hpl/hpl_vitb16_joint.py \
        --num-ids 11754

No data and no weights are needed: the model is built with random ones. Where
``--num-ids`` is not given, it is read from the training data.
"""

import argparse

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from prettytable import PrettyTable
from torch import nn

from hplreid.registry import MODELS


def count(module: nn.Module) -> int:
    """Return the number of a module's parameters."""
    return sum(p.numel() for p in module.parameters())


def random_weights(config: dict) -> dict:
    """Return a model's config without its pre-trained weights."""
    return {
        k: random_weights(v) if isinstance(v, dict) else v
        for k, v in config.items()
        if k != 'pretrained'
    }


def main() -> None:
    """Print the table of what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('--num-ids', type=int, help='training identities')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    args = parser.parse_args()
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options)
    init_default_scope('hplreid')
    if args.num_ids is None:
        from hplreid.engine.prepare import fill_num_ids

        fill_num_ids(config)
    else:
        config.model.num_ids = args.num_ids
    plain = random_weights(config.model.to_dict())
    training = MODELS.build(plain)
    inference = MODELS.build({**plain, 'num_ids': None})
    kept = dict(inference.named_children())

    table = PrettyTable(['part', 'training', 'test'])
    table.align = 'r'
    table.align['part'] = 'l'
    for name, part in training.named_children():
        if count(part):
            table.add_row(
                [
                    name,
                    f'{count(part):,}',
                    f'{count(kept[name]):,}' if name in kept else 0,
                ]
            )
    table.add_divider()
    table.add_row(['all', f'{count(training):,}', f'{count(inference):,}'])
    print(f'{args.config}, {config.model.num_ids} identities')
    print(table)


if __name__ == '__main__':
    main()
