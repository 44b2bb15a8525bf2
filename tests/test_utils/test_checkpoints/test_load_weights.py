"""Weights for inference: those of the model are loaded, others are reported."""

import pytest
import torch
from torch import nn

from hplreid.utils.checkpoints.checkpoint import CheckpointError
from hplreid.utils.checkpoints.load_weights import load_inference_weights


class Towers(nn.Module):
    """A model for inference."""

    def __init__(self, width=3):
        super().__init__()
        self.image_encoder = nn.Linear(2, width)
        self.text_encoder = nn.Linear(2, 3)


class Trained(Towers):
    """The model in training, with heads and prompts."""

    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(3, 5), nn.Linear(3, 5)])
        self.prompt_learner = nn.Embedding(4, 3)


def save(tmp_path, state, **more):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=state, **more), path)
    return path


def test_towers_are_loaded_and_other_parts_are_counted(tmp_path):
    trained, model = Trained(), Towers()
    path = save(tmp_path, trained.state_dict())
    assert load_inference_weights(model, path) == (
        f'{path}: loaded all 4 tensors of Towers; left out heads (4), '
        'prompt_learner (1), which only training needs'
    )
    assert torch.equal(model.image_encoder.weight, trained.image_encoder.weight)
    assert torch.equal(model.text_encoder.bias, trained.text_encoder.bias)


def test_a_bare_state_dict_of_a_wrapped_model_is_loaded(tmp_path):
    state = {f'module.{k}': v for k, v in Towers().state_dict().items()}
    torch.save(state, tmp_path / 'a.pth')
    report = load_inference_weights(Towers(), tmp_path / 'a.pth')
    assert report.endswith('loaded all 4 tensors of Towers; no others')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda s: s.pop('image_encoder.weight'),
            '1 missing: image_encoder.weight',
        ),
        (
            lambda s: s.update({'image_encoder.weight': torch.ones(7, 2)}),
            r'1 that can not be taken: image_encoder.weight of shape '
            r'\(7, 2\) instead of \(3, 2\)',
        ),
        (
            lambda s: s.update({'text_encoder.extra': torch.ones(1)}),
            '1 unknown to the model: text_encoder.extra',
        ),
    ],
)
def test_weights_of_the_model_must_match(tmp_path, change, message):
    state = dict(Trained().state_dict())
    change(state)
    stage = dict(name='align')
    meta = dict(epoch=4, experiment_name='run')
    path = save(tmp_path, state, stage=stage, meta=meta)
    model = Towers()
    before = model.image_encoder.weight.clone()
    with pytest.raises(CheckpointError, match=message) as caught:
        load_inference_weights(model, path)
    assert "a checkpoint of the training 'run', epoch 4, stage 'align'" in str(
        caught.value
    )
    assert torch.equal(model.image_encoder.weight, before)


@pytest.mark.parametrize(
    ('state', 'guess'),
    [
        ({'visual.conv1.weight': torch.ones(1)}, 'those belong in model.image_encoder'),
        (
            {'layer1.weight': torch.ones(1)},
            r'something else, with the parts layer1 \(1',
        ),
        ({'epoch': 3}, r"no weights at all; its keys are \['epoch'\]"),
    ],
)
def test_other_files_are_described(tmp_path, state, guess):
    with pytest.raises(CheckpointError, match=guess):
        load_inference_weights(Towers(), save(tmp_path, state))


def test_a_long_list_is_truncated(tmp_path):
    model = nn.ModuleDict({f'part{i}': nn.Linear(1, 1) for i in range(10)})
    path = save(tmp_path, {'other.weight': torch.ones(1)})
    with pytest.raises(CheckpointError, match='20 missing: part0.*and 12 more'):
        load_inference_weights(model, path)
