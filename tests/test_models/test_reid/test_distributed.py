"""One global batch: two processes give the losses and gradients of one."""

import torch

from .tiny import align_heads, build_hpl, enter, make_batch, slice_batch
from .two_processes import in_two_processes, losses_and_gradients

STAGES = 'construct', 'align'

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


def _work(rank):
    share = slice_batch(make_batch(), *SHARES[rank])
    return {s: losses_and_gradients(_build(s), share) for s in STAGES}


def test_two_processes_equal_one(tmp_path):
    found = in_two_processes(_work, tmp_path)
    for stage in STAGES:
        expected = losses_and_gradients(_build(stage), make_batch())
        for rank in found:
            torch.testing.assert_close(rank[stage], expected, rtol=0, atol=1e-10)
