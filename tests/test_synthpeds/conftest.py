"""Fixtures of the SynthPeds tests."""

from contextlib import contextmanager

import pytest
import torch

from hplreid.synthpeds import make_synthpeds


@contextmanager
def one_torch_thread():
    """Run torch on one thread: the tensors are too small to gain from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope='module')
def one_thread():
    with one_torch_thread():
        yield


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """Folder and manifest of a dataset of size tiny, made in this process."""
    out = tmp_path_factory.mktemp('synthpeds') / 'tiny'
    with one_torch_thread():
        manifest = make_synthpeds(out, 'tiny', workers=1, progress=False)
    return out, manifest
