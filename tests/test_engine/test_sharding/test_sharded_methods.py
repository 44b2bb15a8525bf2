"""Methods in shards train to what one process trains, and to what whole weights do."""

import pytest
import torch

from tests.test_engine.process_matrix import (
    CONFIGS,
    config_of,
    differences,
    run,
    uneven_config_of,
    work,
)
from tests.test_engine.test_process_matrix import (
    NEED_THEIR_SAMPLER,
    _nano,  # noqa: F401
    check,
    compare,
)
from tests.test_evaluation.processes import run_group

from .sharded_toy import needs_fully_shard

pytestmark = needs_fully_shard


def in_shards(config):
    """Return a config whose weights are in shards, where there are several processes.

    Only the type is exchanged, as on a command line.
    """
    return dict(
        config,
        model_wrapper_cfg=dict(config['model_wrapper_cfg'], type='ReIDFullySharded'),
    )


def test_hpl_clip_reid_and_irra_train_as_whole_weights_and_as_one_process(tmp_path):
    """Twenty steps of each stage; a scalar, frozen parts, batch norms, a cache."""
    whole = {name: config_of(name) for name in ('hpl', 'clip_reid', 'irra')}
    sharded = {f'sharded_{name}': in_shards(c) for name, c in whole.items()}
    run_group(work, 2, tmp_path, {**whole, **sharded})
    table = {}
    for name, config in whole.items():
        one = run(config, tmp_path / 'one')
        for rank in range(2):
            ours = torch.load(tmp_path / f'sharded_{name}_{rank}.pt')
            theirs = torch.load(tmp_path / f'{name}_{rank}.pt')
            table[f'{name} and one', rank] = differences(ours, one)
            table[f'{name} and whole', rank] = differences(ours, theirs)
    check(table)


def test_what_saves_memory_goes_together(tmp_path):
    """Sub-batches, recomputed blocks; accumulated and clipped gradients."""
    configs = dict(
        sub_batches=config_of('clip_infonce', epochs=1),
        blocks=config_of('irra', epochs=1),
        accumulated=config_of('irra', epochs=1),
    )
    for stage in configs['sub_batches']['train_cfg']['stages'].values():
        stage['micro_batch_size'] = 3
    for tower in ('image_encoder', 'text_encoder'):
        configs['blocks']['model'][tower]['checkpoint_blocks'] = True
    configs['blocks']['optim_wrapper']['precision'] = 'fp32'
    for stage in configs['accumulated']['train_cfg']['stages'].values():
        stage['optim_wrapper'].update(
            accumulative_counts=2, clip_grad=dict(max_norm=0.01)
        )
    check(compare({n: in_shards(c) for n, c in configs.items()}, [2], tmp_path))


@pytest.mark.exhaustive
@pytest.mark.parametrize('name', CONFIGS)
def test_every_method_and_stage_in_shards(name, tmp_path):
    """Twenty steps of each stage; as many in epochs with an uneven last batch."""
    configs = {name: in_shards(config_of(name))}
    if name not in NEED_THEIR_SAMPLER:
        configs[f'uneven_{name}'] = in_shards(uneven_config_of(name))
    check(compare(configs, [2, 4], tmp_path))
