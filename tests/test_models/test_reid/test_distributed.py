"""One global batch: two processes give the losses and gradients of one."""

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from .tiny import (
    add_nano_arch,
    align_heads,
    build_hpl,
    enter,
    make_batch,
    slice_batch,
)

SHARES = (((0, 1), (4, 5, 6, 7)), ((2, 3), (8, 9, 10, 11)))


def _build(stage):
    if stage != 'align':
        return enter(build_hpl(), stage)
    # With a batch norm among the model's necks, beside that of a head
    bn_head = dict(type='IDHead', feature='u_bn', neck=None, name='id_bn')
    model = build_hpl(
        necks=dict(u_bn=dict(type='BNNeck', reads='u')),
        heads=dict(align=[*align_heads(), bn_head]),
    )
    return enter(model, stage)


def _run(batch, stage, wrap):
    model = _build(stage)
    wrapped = DistributedDataParallel(model) if wrap else model
    losses = wrapped(batch, mode='loss')
    sum(losses.values()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {k: v.detach() for k, v in losses.items()}, gradients


def _worker(rank, folder):
    torch.set_num_threads(1)
    add_nano_arch(folder / f'arch{rank}')
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    results = {
        stage: _run(slice_batch(make_batch(), *SHARES[rank]), stage, wrap=True)
        for stage in ('construct', 'align')
    }
    torch.save(results, folder / f'{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    for rank in range(2):
        (tmp_path / f'arch{rank}').mkdir()
    mp.spawn(_worker, args=(tmp_path,), nprocs=2)
    ranks = [torch.load(tmp_path / f'{r}.pt', weights_only=True) for r in range(2)]
    for stage in ('construct', 'align'):
        losses, gradients = _run(make_batch(), stage, wrap=False)
        for rank in ranks:
            assert rank[stage][0].keys() == losses.keys()
            for name, value in losses.items():
                torch.testing.assert_close(
                    rank[stage][0][name], value, rtol=0, atol=1e-10, msg=name
                )
            assert rank[stage][1].keys() == gradients.keys()
            for name, value in gradients.items():
                torch.testing.assert_close(
                    rank[stage][1][name], value, rtol=0, atol=1e-10, msg=name
                )
