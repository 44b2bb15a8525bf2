"""Made-up batches, cases with and without options, and what is measured of them."""

from dataclasses import replace

import pytest
import torch
from mmengine.registry import init_default_scope

from hplreid.engine.config import read_config
from hplreid.engine.loops import parse_stages
from hplreid.engine.measurement import (
    TrainingCase,
    apply_option,
    count_trained,
    data_sheet_flops,
    make_up_batch,
    measure_training,
)
from hplreid.engine.measurement.made_up_data import count_items
from hplreid.engine.measurement.training_benchmark import build_cases

TINY = {
    'hpl/hpl_tiny_synthpeds': 2,
    'irra/irra_tiny_synthpeds': 1,
    'clip_reid/clip-reid_tiny_synthpeds': 2,
    'promptsg/promptsg_tiny_synthpeds': 1,
    'propot/propot_tiny_synthpeds': 1,
    'transreid/transreid_tiny_synthpeds': 1,
    'bot/bot_tiny_synthpeds': 1,
}


def read(name):
    """Return the model and the stages of a tiny config, in fp32."""
    init_default_scope('hplreid')
    config = read_config(f'configs/{name}.py', {'optim_wrapper.precision': 'fp32'})
    stages = parse_stages(
        config.train_cfg.stages,
        dict(config.optim_wrapper),
        config.train_dataloader.to_dict(),
    )
    return config.model.to_dict(), stages


def case_of(name, stage=0, batch_size=8, **options):
    model, stages = read(name)
    batch = make_up_batch(stages[stage], 6, batch_size)
    return TrainingCase(model, stages[stage], [batch], 6, 'cpu', **options)


@pytest.mark.parametrize('name', ['clip_reid/clip-reid_tiny_synthpeds'])
def test_parameters_that_any_stage_trains_are_counted_once(name):
    model, stages = read(name)
    learns = {}
    for index in range(len(stages)):
        parameters = case_of(name, index).model.named_parameters()
        learns |= {n: p.numel() for n, p in parameters if p.requires_grad}
    assert count_trained(model, [*stages, stages[0]], 6) == sum(learns.values())


@pytest.mark.parametrize('name', TINY)
def test_a_step_of_every_method_trains_what_its_stage_trains(name):
    for index in range(TINY[name]):
        case = case_of(name, index)
        before = {k: v.clone() for k, v in case.model.state_dict().items()}
        losses = case.step()
        assert all(k == 'loss' or k.startswith('loss_') for k in losses)
        learns = {n for n, p in case.model.named_parameters() if p.requires_grad}
        after = case.model.state_dict()
        changed = {k for k in before if not torch.equal(before[k], after[k])}
        assert changed & learns
        assert not (changed - learns) & {n for n, _ in case.model.named_parameters()}


def test_batches_are_those_of_the_sampler_and_the_pipeline():
    _, stages = read('hpl/hpl_tiny_synthpeds')
    data = make_up_batch(stages[1], num_ids=300)
    inputs, samples = data['inputs'], data['data_samples']
    assert inputs['images'].shape == (128, 3, 128, 64)
    assert inputs['images'].dtype == torch.uint8
    assert inputs['captions'].shape == (64, 77)
    assert len({s.label for s in samples[64:]}) == 16
    assert not len(inputs['masking'])
    _, stages = read('irra/irra_tiny_synthpeds')
    inputs = make_up_batch(stages[0], num_ids=300)['inputs']
    masked, words = inputs['masking'].unbind(1)
    chosen = words > 0
    assert torch.equal(torch.where(chosen, words, masked), inputs['captions'])
    assert 0.05 < chosen.sum() / (inputs['captions'] > 0).sum() < 0.25


def test_a_batch_of_another_size_has_both_kinds():
    sampler = dict(type='JointSampler', num_pairs=64, num_ids=16, num_instances=4)
    assert count_items(sampler) == (64, 16, 4)
    assert count_items(sampler, 32) == (16, 4, 4)
    with pytest.raises(ValueError, match="sampler 'Other': expected JointSampler"):
        count_items(dict(type='Other'))


def test_a_pipeline_without_a_size_is_an_error():
    _, stages = read('bot/bot_tiny_synthpeds')
    loader = dict(stages[0].dataloader, dataset=dict(pipeline=[dict(type='Load')]))
    with pytest.raises(ValueError, match='expected a ResizeImage among'):
        make_up_batch(replace(stages[0], dataloader=loader), num_ids=3)


def test_parts_of_a_step_and_what_is_left_behind():
    case = case_of('hpl/hpl_tiny_synthpeds', 1)
    backward = torch.autograd.backward
    parts = case.time_parts()
    assert set(parts) == {'data', 'forward', 'backward', 'update'}
    assert all(seconds > 0 for seconds in parts.values())
    assert torch.autograd.backward is backward
    assert 'step' not in vars(case.optim_wrapper)
    assert 'forward' not in vars(case.model.data_preprocessor)


def test_operations_of_a_frozen_text_tower_by_hand():
    """Stage 1 of CLIP-ReID: one prompt an identity through the text tower."""
    case = case_of('clip_reid/clip-reid_tiny_synthpeds')
    text = case.model.prompt_encoder.text
    blocks, (width, joint) = text.transformer.resblocks, text.text_projection.shape
    labels = {s.label for s in case.batches[0]['data_samples']}
    rows = len(case.batches[0]['data_samples'])
    length = case.model.prompt_learner.identity_template.length
    tokens = len(labels) * length
    # Weights are frozen: backward has one product for each of forward. Attention has
    # two in forward, and two for each of these in backward
    block = 2 * 2 * 12 * tokens * width**2 + 3 * 2 * 2 * tokens * length * width
    # Projection, and the contrast of both directions (features of images are constant)
    rest = 2 * 2 * len(labels) * width * joint + 2 * 2 * 2 * rows * rows * joint
    most = len(blocks) * block + rest
    # The last block may be computed for the end of the text alone
    least = (len(blocks) - 1) * block
    assert least < case.count_flops() <= 1.01 * most


def test_options_change_memory_but_not_losses():
    model, stages = read('clip_reid/clip-reid_tiny_synthpeds')
    options = ('tf32', 'channels_last', 'accumulation', 'sub_batches')
    rows, skipped = measure_training(
        model, stages[1], options, 'cpu', num_ids=20, batch_size=16, rounds=1
    )
    assert set(skipped) == {'tf32', 'channels_last'}
    found = {row['option']: row for row in rows}
    assert list(found) == ['plain', 'accumulation', 'sub_batches']
    assert found['sub_batches']['loss_difference'] < 1e-6
    assert found['accumulation']['loss_difference'] is None
    for option in ('accumulation', 'sub_batches'):
        assert found[option]['memory'] < 0.9 * found['plain']['memory']
    for row in rows:
        assert (row['images'], row['captions']) == (16, 0)
        assert row['images_per_s'] * row['seconds'] == pytest.approx(16)
        assert row['of_product'] > 0
        assert row['of_data_sheet'] is None


def test_an_option_that_a_model_can_not_have_is_left_out_with_its_reason():
    model, stages = read('bot/bot_tiny_synthpeds')
    cases, skipped = build_cases(model, stages[0], ['sub_batches'], 'cpu', 9, 8)
    assert list(cases) == ['plain']
    assert 'batch norms' in skipped['sub_batches']


def test_options_of_towers_are_set_on_those_that_have_them(monkeypatch):
    class Tower:
        def __init__(self, checkpoint_blocks=False):
            pass

    from hplreid.engine.measurement import step_options

    class Towers:
        @staticmethod
        def get(name):
            return Tower if name == 'Tower' else object

    monkeypatch.setattr(step_options, 'BACKBONES', Towers)
    _, stages = read('bot/bot_tiny_synthpeds')
    model = dict(image_encoder=dict(type='Tower'), text_encoder=dict(type='Other'))
    changed, _ = apply_option('checkpointing', model, stages[0], 8)
    assert changed == dict(
        image_encoder=dict(type='Tower', checkpoint_blocks=True),
        text_encoder=dict(type='Other'),
    )
    assert model['image_encoder'] == dict(type='Tower')
    assert apply_option('compile', model, stages[0], 8) == 'no tower has compiled'


def test_data_sheets_of_devices():
    assert data_sheet_flops('NVIDIA H100 80GB HBM3', 'fp16') == 989e12
    assert data_sheet_flops('NVIDIA H100 PCIe', 'bf16') == 756e12
    assert data_sheet_flops('NVIDIA GeForce RTX 3090', 'tf32') == 35.6e12
    assert data_sheet_flops('CPU', 'fp32') is None
