"""Every component says which of its weights have a row for each identity or camera."""

import inspect

import pytest
import torch
from torch import nn

import hplreid.models  # noqa: F401  (fills the registries)
from hplreid.models.prompt_learners.prototype_blocks import DomainPrompting
from hplreid.models.reid.initial_prototypes import InitialPrototypes
from hplreid.registry import BACKBONES, HEADS, LOSSES, PROMPT_LEARNERS
from hplreid.utils.checkpoints.indexed_weights import indexed_weights
from tests.test_models.test_reid.tiny import ARCH, add_nano_arch

OPTIONS = dict(
    in_channels=8,
    channels=8,
    token_table=torch.zeros(50000, 8),
    arch=ARCH,
    img_size=(32, 16),
    learner=dict(type='PrototypeLearner', num_heads=2),
)
PLAIN = [InitialPrototypes, DomainPrompting]  # parts that no config names


def components(*counts):
    """Yield the registered components with such an argument, and its name."""
    for registry in (HEADS, LOSSES, PROMPT_LEARNERS, BACKBONES):
        registry.import_from_location()
        for cls in registry.module_dict.values():
            arguments = inspect.signature(cls).parameters
            if cls.__module__.startswith('hplreid'):
                yield from ((cls, count) for count in counts if count in arguments)


CASES = [
    *components('num_ids', 'num_cameras'),
    *((cls, 'num_ids') for cls in PLAIN),
]


@pytest.fixture(scope='module', autouse=True)
def _arch(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))


def build(cls, **counts) -> nn.Module:
    arguments = inspect.signature(cls).parameters
    options = {k: v for k, v in OPTIONS.items() if k in arguments}
    if cls.__name__ == 'TransReIDEncoder':
        options.update(arch='vit_tiny_patch16_224', jpm=False)
    if 'num_heads' in arguments:
        options['num_heads'] = 2
    return cls(**{**options, **counts})


@pytest.mark.parametrize(
    ('cls', 'count'), CASES, ids=[f'{c.__name__}-{n}' for c, n in CASES]
)
def test_what_grows_with_the_training_set_is_declared(cls, count):
    few, many = (build(cls, **{count: n}) for n in (5, 7))
    grown = {
        k for k, v in many.state_dict().items() if v.shape != few.state_dict()[k].shape
    }
    index = {'num_ids': 'identity', 'num_cameras': 'camera'}[count]
    declared = indexed_weights(many)
    assert set(declared.values()) == {index}
    # The flag that a table is filled goes with the table
    assert {k for k in declared if k != 'filled'} == grown


def test_all_kinds_are_here():
    assert len(CASES) >= 11


def test_tokens_that_all_identities_share_have_no_rows():
    learner = PROMPT_LEARNERS.get('IdentityPromptLearner')
    assert not indexed_weights(build(learner, num_ids=5, id_scope='shared'))
