"""Batch norms over the rows of several processes are those of the whole batch."""

import copy

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from hplreid.models.layers.synced_batch_norm import (
    BatchNormError,
    SyncedBatchNorm,
    sync_batch_norms,
)
from hplreid.models.necks import BNNeck
from tests.test_evaluation.processes import run_group

SHARES = (5, 2, 1)  # uneven, and one process with a single row


def make(kind):
    torch.manual_seed(0)
    norm = dict(
        rows=lambda: nn.BatchNorm1d(6),
        maps=lambda: nn.BatchNorm2d(6, eps=1e-3, momentum=0.3),
        volumes=lambda: nn.BatchNorm3d(6, affine=False),
        cumulative=lambda: nn.BatchNorm1d(6, momentum=None),
        no_running=lambda: nn.BatchNorm1d(6, track_running_stats=False),
        neck=lambda: BNNeck(6).bn,  # its shift is a buffer
        activation=lambda: BatchNormAct2d(6, act_layer=nn.SiLU, inplace=False),
    )[kind]()
    for parameter in norm.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return norm.double()


KINDS = (
    'rows',
    'maps',
    'volumes',
    'cumulative',
    'no_running',
    'neck',
    'activation',
)


def inputs(kind):
    """Two batches of eight rows, far from zero, where sums of squares lose digits."""
    places = dict(maps=(3, 2), activation=(3, 2), volumes=(2, 3, 2)).get(kind, ())
    generator = torch.Generator().manual_seed(1)
    shape = (2, sum(SHARES), 6, *places)
    x = torch.randn(shape, generator=generator, dtype=torch.float64) * 3 + 1000
    return x, torch.randn(shape, generator=generator, dtype=torch.float64)


def passes(norm, batches, targets):
    """Two training steps without an update; return all that can differ."""
    outputs, gradients = [], []
    for x, target in zip(batches, targets, strict=True):
        x = x.clone().requires_grad_()
        out = norm(x)
        (out * target).sin().sum().backward()
        outputs.append(out.detach())
        gradients.append(x.grad)
    weights = {n: p.grad for n, p in norm.named_parameters()}
    norm.eval()
    if norm.state_dict().get('running_mean') is not None:
        outputs.append(norm(batches[0]).detach())
    return outputs, gradients, weights, dict(norm.named_buffers())


def work(rank, world, folder):
    found = {}
    rows = slice(sum(SHARES[:rank]), sum(SHARES[: rank + 1]))
    for kind in KINDS:
        holder = nn.ModuleList([make(kind)])
        names = list(holder.state_dict())
        (changed,) = sync_batch_norms(holder)
        assert isinstance(holder.get_submodule(changed), SyncedBatchNorm)
        assert list(holder.state_dict()) == names
        x, targets = inputs(kind)
        found[kind] = passes(holder[0], x[:, rows], targets[:, rows])
    torch.save(found, folder / f'{rank}.pt')


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp('norms')
    run_group(work, len(SHARES), folder)
    return [torch.load(folder / f'{rank}.pt') for rank in range(len(SHARES))]


@pytest.mark.parametrize('kind', KINDS)
def test_several_processes_normalize_as_one(found, kind):
    outputs, gradients, weights, buffers = passes(make(kind), *inputs(kind))
    same = dict(rtol=1e-10, atol=1e-11)
    for place, wanted in enumerate((outputs, gradients)):
        for step, whole in enumerate(wanted):
            rows = torch.cat([f[kind][place][step] for f in found])
            torch.testing.assert_close(rows, whole, **same)
    for name, gradient in weights.items():  # the wrapper's sum over processes
        total = sum(f[kind][2][name] for f in found)
        torch.testing.assert_close(total, gradient, **same)
    for process in found:
        torch.testing.assert_close(process[kind][3], buffers, **same)
        assert all(
            map(torch.equal, process[kind][3].values(), found[0][kind][3].values())
        )


@pytest.mark.parametrize('kind', KINDS)
def test_in_one_process_nothing_changes(kind):
    plain, synced = make(kind), nn.ModuleList([make(kind)])
    sync_batch_norms(synced)
    torch.testing.assert_close(
        passes(synced[0], *inputs(kind)), passes(plain, *inputs(kind)), rtol=0, atol=0
    )


def test_parts_with_the_global_batch_are_left_out():
    model = nn.ModuleDict(dict(heads=BNNeck(3), tower=BNNeck(3), headset=BNNeck(3)))
    assert sync_batch_norms(model, ['heads']) == ['tower.bn', 'headset.bn']
    assert sync_batch_norms(model, ['heads']) == []  # those are synchronized
    assert type(copy.deepcopy(model).heads.bn) is nn.BatchNorm1d


def test_an_unknown_batch_norm_is_refused():
    class Strange(nn.BatchNorm1d):
        def forward(self, x):
            return super().forward(x) * 2

    with pytest.raises(BatchNormError, match=r'0 is a Strange.*sync_bn=False'):
        sync_batch_norms(nn.Sequential(Strange(3)))
