"""The configs of TransReID and BoT agree with the published recipes."""

import math

import pytest

from tests.test_configs import ROOT, learning_rates, read

TRANSREID = sorted(p.stem for p in (ROOT / 'configs/transreid').glob('*_vitb16_*.py'))
BOT = sorted(p.stem for p in (ROOT / 'configs/bot').glob('bot_resnet50_*.py'))
CAMERAS = {'market1501': 6, 'dukemtmc': 8, 'msmt17': 15, 'cuhk03-np': 2}


def load(stem):
    return read(f'configs/{stem.split("_")[0]}/{stem}.py')


@pytest.mark.parametrize('stem', TRANSREID)
def test_transreid_trains_as_published(stem):
    config = load(stem)
    stage = config.train_cfg.stages.identify
    optimizer = stage.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum) == ('SGD', 0.9)
    assert (optimizer.lr, optimizer.weight_decay) == (0.008, 1e-4)
    assert stage.optim_wrapper.paramwise_cfg.custom_keys.bias == dict(lr_mult=2)
    warm_up = [0.01 + 0.99 * t / 5 for t in range(1, 5)]
    cosine = [0.002 + 0.499 * (1 + math.cos(math.pi * t / 120)) for t in range(5, 121)]
    expected = [0.008 * factor for factor in [*warm_up, *cosine]]
    assert learning_rates(stage) == pytest.approx(expected)
    assert config.model.data_preprocessor.mean == (0.5, 0.5, 0.5)
    assert config.train_dataloader.batch_size == 64


@pytest.mark.parametrize('stem', TRANSREID)
def test_transreid_variants_are_what_they_are_called(stem):
    data, variant = [*stem.split('_')[2:], ''][:2]
    config = load(stem)
    tower = config.model.image_encoder
    base = variant == 'base'
    assert tower.get('num_cameras', 0) == (0 if base else CAMERAS[data])
    assert tower.get('jpm', True) is not base
    assert tower.get('stride') == (12 if variant == 'olp' else None)
    size = (384, 128) if variant == '384' else (256, 128)
    assert tower.img_size == size
    for loader in (config.train_dataloader, *config.test_dataloader.values()):
        assert loader.dataset.pipeline[1].size == size
    # Global half, parts half; all of one kind sum to 1
    features = ['v'] if base else ['v', *(f'part_{i}' for i in range(1, 5))]
    for kind, option in (('IDHead', 'label_smoothing'), ('TripletHead', 'margin')):
        heads = [h for h in config.model.heads.identify if h.type == kind]
        assert [h.feature for h in heads] == features
        weights = [h.get('loss_weight', 1) for h in heads]
        assert weights == ([1] if base else [0.5, *4 * [0.125]])
        assert all(not h[option] for h in heads)


@pytest.mark.parametrize('data', ['market1501', 'msmt17'])
def test_deit_differs_in_what_the_reference_says(data):
    vit, deit = (load(f'transreid_{t}_{data}') for t in ('vitb16', 'deitb16'))
    lr = deit.train_cfg.stages.identify.optim_wrapper.optimizer.lr
    assert lr == (0.005 if data == 'msmt17' else 0.008)
    pipelines = [c.train_dataloader.dataset.pipeline for c in (vit, deit)]
    changed = [
        (a, b) for a, b in zip(*pipelines, strict=True) if a.to_dict() != b.to_dict()
    ]
    assert [(a.type, a.prob, b.prob) for a, b in changed] == [
        ('RandomErasing', 0.5, 0.8)
    ]


@pytest.mark.parametrize('stem', BOT)
def test_bot_trains_as_published(stem):
    config = load(stem)
    stage = config.train_cfg.stages.identify
    optimizer = stage.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.weight_decay) == ('Adam', 5e-4)
    expected = []
    for epoch in range(1, 121):
        warm_up = 0.01 + 0.99 * min(epoch, 10) / 10
        decay = 0.1 ** ((epoch >= 40) + (epoch >= 70))
        expected.append(3.5e-4 * warm_up * decay)
    assert learning_rates(stage) == pytest.approx(expected)
    assert config.model.i2i_feature == ['f_i']
    tower = config.model.image_encoder
    assert tower.get('last_stride', tower.get('strides', [0])[-1]) == 1
    # One global batch: its batch norms see the rows of all processes
    assert config.model_wrapper_cfg.sync_bn
    erasing = config.train_dataloader.dataset.pipeline[4]
    assert (erasing.type, erasing.area) == ('RandomErasing', (0.02, 0.4))


def test_synthpeds_has_as_many_cameras_as_the_tiny_config_says():
    from hplreid.synthpeds.camera.camera import CAMERAS as SYNTHPEDS

    tower = load('transreid_tiny_synthpeds').model.image_encoder
    assert tower.num_cameras == len(SYNTHPEDS)
