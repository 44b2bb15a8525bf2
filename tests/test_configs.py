"""Every config builds, has what its heads read, and trains a step at a tiny size."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from tests.test_models.test_reid.tiny import ARCH, NUM_IDS, add_nano_arch, make_batch

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    str(p.relative_to(ROOT))
    for folder in ('configs', 'projects')
    for p in (ROOT / folder).rglob('*.py')
    if '_base_' not in p.parts and 'configs' in p.parts
)
NAME = re.compile(r'[a-z0-9]+_[a-z0-9]+_[a-z0-9-]+(_[a-z0-9-]+)?\.py')


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


def _shrink(config):
    """The model of a config at a size for tests: same parts, same heads."""
    model = config.model.to_dict()
    model['num_ids'] = NUM_IDS
    model['image_encoder'].update(arch=ARCH, pretrained=None, img_size=(32, 16))
    for part in ('image_inversion', 'text_inversion'):
        if part in model:
            model[part].update(depth=1, num_heads=2)
    return MODELS.build(model).double()


def _enter(model, stage, trainable):
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(trainable)))
    model.enter_stage(stage)
    return model.train()


@pytest.mark.parametrize('path', CONFIGS)
def test_config_trains_a_step_in_each_stage(path):
    config = Config.fromfile(ROOT / path)
    model = _shrink(config)
    assert set(config.train_cfg.stages) <= set(model.heads)
    for name, stage in config.train_cfg.stages.items():
        _enter(model, name, stage.trainable)
        losses = model.loss(make_batch())
        assert all(k.startswith('loss') for k in losses)
        assert all(torch.isfinite(v) for v in losses.values()), losses
        model.zero_grad()
        sum(losses.values()).backward()
        for prefix in stage.trainable:  # nothing is listed that nothing trains
            own = [
                p
                for n, p in model.named_parameters()
                if n.startswith(prefix) and p.requires_grad
            ]
            assert not own or any(p.grad is not None for p in own), (name, prefix)


@pytest.mark.parametrize('path', CONFIGS)
def test_name_follows_the_convention(path):
    """<method>_<model>_<data>[_<variant>].py, dashes inside a part."""
    assert NAME.fullmatch(Path(path).name), path


@pytest.mark.parametrize('path', CONFIGS)
def test_config_survives_dump_and_load(path, tmp_path):
    config = Config.fromfile(ROOT / path)
    config.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == config.to_dict()


def _rates(stage):
    """Learning rates of a stage, an epoch each, as the schedulers give them."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=stage.optim_wrapper.optimizer.lr)
    schedulers = [
        PARAM_SCHEDULERS.build(
            dict(s), default_args=dict(optimizer=optimizer, end=stage.epochs)
        )
        for s in stage.param_scheduler
    ]
    rates = []
    for _ in range(stage.epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def test_hpl_schedules_are_the_papers():
    stages = Config.fromfile(ROOT / 'configs/hpl/hpl_vitb16_joint.py').train_cfg.stages
    construct, align = _rates(stages.construct), _rates(stages.align)
    assert construct == pytest.approx([5e-5 * 0.8**e for e in range(10)])
    cosine = [
        0.5 * (1 + torch.cos(torch.tensor(torch.pi * e / 55)).item()) for e in range(55)
    ]
    warm_up = [0.1, 0.28, 0.46, 0.64, 0.82]
    expected = [1e-5 * factor for factor in [*warm_up, *cosine]]
    assert align == pytest.approx(expected, rel=1e-5)


def test_identity_tokens_learn_at_the_papers_rate():
    stage = Config.fromfile(
        ROOT / 'configs/hpl/hpl_vitb16_joint.py'
    ).train_cfg.stages.construct
    keys = stage.optim_wrapper.paramwise_cfg.custom_keys
    rate = stage.optim_wrapper.optimizer.lr * keys['prompt_learner.id_tokens'].lr_mult
    assert rate == pytest.approx(0.02)


def _heads(path):
    heads = Config.fromfile(ROOT / path).model.heads
    return {s: [h.type for h in configs] for s, configs in heads.items()}


@pytest.mark.parametrize('stem', ['hpl_vitb16_joint', 'hpl_tiny_synthpeds'])
def test_ablation_rows_are_what_they_are_called(stem):
    base = ['SDMHead', 'CrossModalIDHead', 'IDHead', 'TripletHead']
    cic = [*base, 'PromptIDHead']
    rows = {
        '_base': base,
        '_trt': base,
        '_trt-cic': cic,
        '_trt-hpl-tgps': [*cic, 'PromptAlignHead'],
        '_trt-hpl-vgps': [*cic, 'PromptAlignHead'],
        '_trt-hpl': [*cic, 'PromptAlignHead'],
        '': [*cic, 'PromptAlignHead', 'PromptRegularisationHead'],
        '_paper': [*cic, 'PromptAlignHead', 'PromptRegularisationHead'],
    }
    for suffix, expected in rows.items():
        assert _heads(f'configs/hpl/{stem}{suffix}.py')['align'] == expected, suffix
    single = Config.fromfile(ROOT / f'configs/hpl/{stem}_base.py')
    assert single.model.image_encoder.type == 'CLIPImageEncoder'
    assert all(h.get('feature', 'v') == 'v' for h in single.model.heads.align)
    assert list(single.train_cfg.stages) == ['align']


def test_full_size_forward_runs_on_a_cpu():
    model = Config.fromfile(ROOT / 'configs/hpl/hpl_vitb16_joint.py').model.to_dict()
    model['image_encoder']['pretrained'] = None
    towers = MODELS.build(model).eval()  # no num_ids: what inference builds
    inputs = dict(
        images=torch.randn(2, 3, 384, 128),
        image_rows=torch.arange(2),
        captions=make_batch()['captions'][:2],
        caption_rows=torch.arange(2, 4),
    )
    samples = [ReIDDataSample() for _ in range(4)]
    with torch.no_grad():
        towers(inputs, samples, mode='predict')
    assert [s.t2i_feat.shape for s in samples] == [(512,)] * 4
    assert [s.i2i_feat.shape for s in samples[:2]] == [(512,)] * 2
    tokens = towers.image_encoder(inputs['images'])['tokens']
    assert tokens.shape == (2, 2 + 24 * 8, 512)
