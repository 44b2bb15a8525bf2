"""Names of weights of wrapped models."""

import pytest
import torch
from torch import nn

from hplreid.utils.checkpoints.load_weights import load_inference_weights
from hplreid.utils.checkpoints.names import name_as_in, strip_wrappers


@pytest.mark.parametrize(
    'name',
    [
        'a.b.weight',
        '_orig_mod.a.b.weight',
        'module.a.b.weight',
        'module._orig_mod.a.b.weight',
        '_orig_mod.module.module.a.b.weight',
        'a._orig_mod.b.weight',
        'module.a.module._orig_mod.b.weight',
        '_fsdp_wrapped_module.a._checkpoint_wrapped_module.b.weight',
    ],
)
def test_wrappers_are_removed_wherever_they_stand(name):
    assert strip_wrappers(name) == 'a.b.weight'


def test_parts_of_names_stay():
    for name in ('modules.weight', 'my_module.weight', 'a._orig_mods.b'):
        assert strip_wrappers(name) == name


def test_a_model_with_such_a_part_itself():
    model = nn.ModuleDict(dict(module=nn.Linear(1, 1)))
    state = model.state_dict()
    assert list(name_as_in(state, state)) == ['module.weight', 'module.bias']


def test_two_weights_of_one_name_are_an_error():
    state = {'module.a': torch.ones(1), 'a': torch.zeros(1)}
    with pytest.raises(ValueError, match="two weights 'a' in it, one of them as 'a'"):
        name_as_in(state, ['a'])


def test_compiled_weights_load_into_a_model_and_the_other_way_round(tmp_path):
    plain, compiled = nn.Sequential(nn.Linear(2, 3)), nn.Sequential(nn.Linear(2, 3))
    compiled[0] = torch.compile(compiled[0])
    for source, target in ((plain, compiled), (compiled, plain)):
        nn.init.normal_(source[0].weight)
        torch.save(source.state_dict(), tmp_path / 'a.pth')
        load_inference_weights(target, tmp_path / 'a.pth')
        assert torch.equal(source[0].weight, target[0].weight)
