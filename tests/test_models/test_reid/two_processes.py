"""The losses and gradients of a batch, and of its shares in two processes."""

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from .tiny import add_nano_arch


def losses_and_gradients(model, batch):
    """Run forward and backward pass; with a process group, the model is wrapped."""
    wrapped = DistributedDataParallel(model) if dist.is_initialized() else model
    losses = wrapped(batch, mode='loss')
    sum(losses.values()).backward()
    gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {k: v.detach() for k, v in losses.items()}, gradients


def in_two_processes(work, folder):
    """Return what ``work(rank)`` returns in each of two processes.

    Args:
        work: A function of a module, which makes tensors, and tables of them.
        folder: An empty one.
    """
    mp.spawn(_worker, args=(work, folder), nprocs=2)
    return [torch.load(folder / f'{r}.pt', weights_only=True) for r in range(2)]


def _worker(rank, work, folder):
    torch.set_num_threads(1)
    (folder / f'arch{rank}').mkdir()
    add_nano_arch(folder / f'arch{rank}')
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    torch.save(work(rank), folder / f'{rank}.pt')
    dist.destroy_process_group()
