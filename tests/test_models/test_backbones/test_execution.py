"""How towers are executed: checkpointed, compiled, channels last. All is equal."""

import copy
import os
import subprocess
import sys

import pytest
import torch
import torch._dynamo
from torch._dynamo.testing import CompileCounterWithBackend

from hplreid.models.backbones import tower as tower_module
from hplreid.models.backbones.tower import find_execution_problems

from .nano_towers import RESNETS, TRANSFORMERS, assert_equal, build, inputs_of
from .nano_towers import run as run_tower

READS = dict(clip=('v', 'v_penultimate'), routed=('v', 'u'), text=('t',))


@pytest.mark.parametrize('name', TRANSFORMERS)
@pytest.mark.parametrize('reading', ['all', 'some'])
def test_checkpointed_and_plain_gradients_are_equal(name, reading):
    if reading == 'some' and name not in READS:
        pytest.skip('reads all')
    options = dict(reads=READS[name]) if reading == 'some' else {}
    plain, kept = build(name), build(name, checkpoint_blocks=True)
    assert plain.state_dict().keys() == kept.state_dict().keys()
    arguments = inputs_of(name)
    # In training mode: TransReID drops paths, which it must draw alike when computed
    # again
    expected = run_tower(plain.train(), arguments, **options)
    assert_equal(run_tower(kept.train(), arguments, **options), expected)


@pytest.mark.parametrize('name', TRANSFORMERS)
def test_checkpointed_blocks_keep_less(name):
    """Bytes of what autograd keeps for the backward pass."""

    def kept_bytes(tower):
        sizes = {}

        def pack(x):
            sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x

        parameters = {p.untyped_storage().data_ptr() for p in tower.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            out = tower(*inputs_of(name))
        del out
        return sum(size for at, size in sizes.items() if at not in parameters)

    plain = build(name).train()
    assert kept_bytes(build(name, checkpoint_blocks=True).train()) < kept_bytes(plain)


@pytest.mark.parametrize('name', RESNETS)
def test_channels_last_changes_the_layout_alone(name):
    plain, last = build(name), build(name, channels_last=True)
    last.load_state_dict(plain.state_dict())
    weights = [p for p in last.parameters() if p.dim() == 4 and p.shape[-1] > 1]
    assert weights
    assert all(w.is_contiguous(memory_format=torch.channels_last) for w in weights)
    for training in (True, False):
        expected = run_tower(plain.train(training), inputs_of(name))
        ours = run_tower(last.train(training), inputs_of(name))
        assert_equal(ours, expected, atol=1e-9)
    maps = ours[0].get('map')
    if maps is not None:
        assert maps.is_contiguous(memory_format=torch.channels_last)


@pytest.fixture
def compiler(monkeypatch):
    """Trace forward and backward as for any compiler, run the traces as they are."""
    counter = CompileCounterWithBackend('aot_eager')
    compile_model = torch.compile
    monkeypatch.setattr(
        torch, 'compile', lambda f, **o: compile_model(f, backend=counter, **o)
    )
    monkeypatch.setattr(tower_module, 'find_compiler_problem', lambda device: None)
    torch._dynamo.reset()
    yield counter
    torch._dynamo.reset()


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('clip', {}),
        ('routed', {}),
        ('transreid', dict(checkpoint_blocks=True)),
        ('text', {}),
        ('prompt', {}),
        *((name, {}) for name in RESNETS),
    ],
)
def test_towers_are_compiled_without_a_break(name, options, compiler):
    """``fullgraph=True`` raises at a graph break."""
    plain, compiled = build(name), build(name, compiled=True, **options)
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    arguments = inputs_of(name)
    # Dropped paths draw other random numbers in compiled code
    expected = run_tower(plain.eval(), arguments)
    assert_equal(run_tower(compiled.eval(), arguments), expected)
    assert compiler.frame_count == 1
    if name == 'routed':
        reads = ('v', 'u')
        expected = run_tower(plain, arguments, reads, reads=reads)
        ours = run_tower(compiled, arguments, reads, reads=reads)
        assert_equal(ours, expected, names=reads)


def test_captions_of_any_length_are_compiled_twice_at_most(compiler):
    tower = build('text', compiled=True)
    for length in (9, 8, 7, 6):
        tower(torch.full((4, length), 49407))
    assert compiler.frame_count <= 2


def test_a_run_may_compile_more_often_than_pytorch_allows(compiler):
    tower = build('resnet', compiled=True).eval()
    (images,) = inputs_of('resnet')
    for i in range(20):
        tower.guarded = f'{i}'  # as a stage, a mode or a set of features would differ
        tower.forward = lambda images: {'map': images + int(tower.guarded)}
        with torch.no_grad():
            tower(images)
    assert compiler.frame_count >= 9


def test_a_copy_of_a_compiled_tower_works(compiler):
    tower = build('clip', compiled=True)
    tower(*inputs_of('clip'))
    copied = copy.deepcopy(tower)  # as for a moving average of the weights
    assert_equal(
        run_tower(copied, inputs_of('clip')), run_tower(tower, inputs_of('clip'))
    )


def test_compiled_and_plain_losses_are_equal_in_float32():
    """With the real compiler, where there is one."""
    problems = find_execution_problems(compiled=True)
    if problems:
        pytest.skip(problems[0])
    plain = build('routed', torch.float32)
    compiled = build('routed', torch.float32, compiled=True)
    arguments = inputs_of('routed', torch.float32)
    expected = run_tower(plain, arguments, ('v', 'u'), reads=('v', 'u'))
    ours = run_tower(compiled, arguments, ('v', 'u'), reads=('v', 'u'))
    assert_equal(ours, expected, atol=2e-4, names=('v', 'u'))


def test_no_compiler_is_reported_before_anything_is_built(tmp_path):
    program = (
        'from hplreid.models.backbones import CLIPImageEncoder as Tower\n'
        "arch = dict(arch='ViT-B-16-quickgelu')\n"
        'print(Tower.find_problems(**arch))\n'
        'print(Tower.find_problems(**arch, compiled=True))\n'
    )
    environment = dict(
        PATH='/nowhere', CXX='/nowhere/g++', TORCHINDUCTOR_CACHE_DIR=str(tmp_path)
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    none, problems = done.stdout.strip().splitlines()[-2:]
    assert none == '[]'
    assert 'compiled=True: torch.compile does not work on this machine' in problems
    assert 'Install g++ or clang++, or leave `compiled` out' in problems
