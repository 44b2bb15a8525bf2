"""1, 2 and 4 processes: one training, to the rounding of float64."""

import pytest
import torch

from hplreid.engine.data_parallel import ReIDDataParallel
from tests.test_evaluation.processes import run_group
from tests.test_models.test_reid.tiny import add_nano_arch

from .process_matrix import CONFIGS, config_of, differences, run, uneven_config_of, work

# Items with a caption and without in the batch of every process, or cached features
NEED_THEIR_SAMPLER = {n for n in CONFIGS if n.startswith('hpl')} | {
    'clip_reid',
    'clip_reid_rn50',
}


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))


def compare(configs, worlds, folder):
    """Return the differences from one process by name and number of processes."""
    table = {}
    expected = {name: run(config, folder / name) for name, config in configs.items()}
    for world in worlds:
        here = folder / str(world)
        here.mkdir()
        run_group(work, world, here, configs)
        for name in configs:
            found = [torch.load(here / f'{name}_{rank}.pt') for rank in range(world)]
            gaps = [differences(own, expected[name]) for own in found]
            table[name, world] = {k: max(gap[k] for gap in gaps) for k in gaps[0]}
    return table


def check(table):
    print()
    for (name, world), gaps in table.items():
        print(f'{name:20} {world}', *(f'{k} {v:.1e}' for k, v in gaps.items()))
    assert all(gap < 1e-10 for gaps in table.values() for gap in gaps.values()), table


def test_two_processes_train_as_one(tmp_path):
    """Two stages; batch norms in a tower and an inversion network, an uneven batch."""
    configs = dict(
        hpl=config_of('hpl', epochs=1),
        promptsg=uneven_config_of('promptsg_rn50', epochs=1),
    )
    check(compare(configs, [2], tmp_path))


@pytest.mark.exhaustive
@pytest.mark.parametrize('name', CONFIGS)
def test_every_method_and_stage(name, tmp_path):
    """Twenty steps of each stage; as many in epochs with an uneven last batch."""
    configs = {name: config_of(name)}
    if name not in NEED_THEIR_SAMPLER:
        configs[f'uneven_{name}'] = uneven_config_of(name)
    check(compare(configs, [2, 4], tmp_path))


def refuse(rank, world, folder):
    config = uneven_config_of('clip_infonce', epochs=1)
    config['train_dataloader']['dataset'].update(left_out=15)
    work(rank, world, folder, dict(unequal=config))


def test_processes_with_unequal_numbers_of_batches_are_refused(tmp_path):
    run_group(refuse, 2, tmp_path)
    for rank in range(2):
        message = torch.load(tmp_path / f'unequal_{rank}.pt')
        assert message == (
            'train_dataloader: DefaultSampler gives the processes [5, 4] batches an '
            'epoch. All must have as many: set train_dataloader.drop_last=True, or '
            'take a sampler of this package, which divides every batch equally.'
        )


def test_batch_norms_of_one_process_are_a_choice():
    model = torch.nn.BatchNorm1d(3)
    with pytest.raises(Exception, match='group has not been initialized'):
        ReIDDataParallel(model, sync_bn=False)
    assert type(model) is torch.nn.BatchNorm1d
