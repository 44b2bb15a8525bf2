"""Every config builds, has what its heads read, and trains a step at a tiny size."""

import functools
import math
import re
from copy import deepcopy
from itertools import islice
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from hplreid.datasets import reid_collate
from hplreid.engine.config.read import read_config
from hplreid.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS
from hplreid.structures import ReIDDataSample
from tests.benchmark_trees import (
    make_cuhk03_np,
    make_duke,
    make_icfg_pedes,
    make_msmt17,
    make_rstpreid,
)
from tests.helpers import make_cuhk_pedes, make_market
from tests.test_models.test_reid.tiny import (
    ARCH,
    NUM_IDS,
    RESNET_ARCH,
    add_nano_arch,
    make_batch,
)

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    str(p.relative_to(ROOT))
    for folder in ('configs', 'projects')
    for p in (ROOT / folder).rglob('*.py')
    if '_base_' not in p.parts and 'configs' in p.parts
)
DATA = sorted(
    path.stem
    for path in (ROOT / 'configs' / '_base_' / 'datasets').glob('*.py')
    # These name no benchmark, or make their own data
    if path.stem not in ('i2i', 't2i', 'joint') and 'synthpeds' not in path.stem
)
PART = '[a-z0-9-]+'
NAME = re.compile(
    rf'{PART}_[a-z0-9]+_({PART}|joint_(icfg-msmt17|rstp-duke))(_{PART})?\.py'
)
MAX_LINES = 30


@functools.cache
def _read_once(path):
    return read_config(str(ROOT / path))


def read(path):
    """Return a copy of a config, as the tools read it."""
    return deepcopy(_read_once(path))


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Return a folder with all benchmarks in ``data/``, each enough for a batch."""
    root = tmp_path_factory.mktemp('benchmarks')
    data = root / 'data'
    make_market(data / 'Market-1501-v15.09.15', num_ids=16)
    make_duke(data / 'dukemtmcreid' / 'DukeMTMC-reID', num_ids=16, images_per_id=4)
    make_msmt17(data / 'MSMT17', num_ids=16)
    make_cuhk03_np(data / 'cuhk03-np', num_ids=16)
    make_cuhk_pedes(data / 'CUHK-PEDES', num_ids=16)
    identities = [f'train/{number:04d}' for number in range(16, 49)]
    splits = {'train': identities[:32], 'test': identities[32:]}
    make_icfg_pedes(data / 'ICFG-PEDES', splits)
    make_rstpreid(data / 'RSTPReid', num_ids=16, images_per_id=2)
    return root


# Options that make a tower of each type small
_CLIP = dict(arch=ARCH, pretrained=None, img_size=(32, 16))
NANO = {
    'CLIPImageEncoder': _CLIP,
    'CLIPResNetEncoder': dict(_CLIP, arch=RESNET_ARCH),
    'TaskRoutedTransformer': _CLIP,
    'TransReIDEncoder': dict(
        pretrained=None,
        img_size=(32, 16),
        stride=None,
        arch_options=dict(patch_size=4, embed_dim=24, depth=2, num_heads=2),
    ),
    'ResNetEncoder': dict(arch='resnet18', pretrained=None),
    'mmpretrain.ResNet': dict(depth=18, init_cfg=None),
}


def shrink(config, num_ids=NUM_IDS):
    """Build a config's model at a size for tests: same parts, same heads."""
    model = config.model.to_dict()
    model['num_ids'] = num_ids
    model['image_encoder'].update(NANO[model['image_encoder']['type']])
    for part in ('image_inversion', 'text_inversion', 'inversion'):
        if model.get(part, {}).get('type') == 'QueryInversion':
            model[part].update(depth=1, num_heads=2)
    for neck in model.get('necks', {}).values():
        if neck['type'] == 'InteractionNeck':
            neck.update(width=16, num_heads=2)
    built = MODELS.build(model).double()
    if getattr(built, 'has_prototypes', False):  # made when a stage begins
        made = torch.randn(num_ids, 16), torch.arange(num_ids)
        built.receive_features({'v': made, 't': made})
    return built


def enter_stage(model, stage, trainable):
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(trainable)))
    model.enter_stage(stage)
    return model.train()


@pytest.mark.parametrize('path', CONFIGS)
def test_config_trains_a_step_in_each_stage(path):
    config = read(path)
    model = shrink(config)
    assert set(config.train_cfg.stages) <= set(model.heads)
    for name, stage in config.train_cfg.stages.items():
        enter_stage(model, name, stage.trainable)
        losses = model.loss(make_batch())
        assert all(k.startswith('loss') for k in losses)
        assert all(torch.isfinite(v) for v in losses.values()), losses
        model.zero_grad()
        sum(losses.values()).backward()
        for prefix in stage.trainable:  # each one gets a gradient
            own = [
                p
                for n, p in model.named_parameters()
                if n.startswith(prefix) and p.requires_grad
            ]
            assert not own or any(p.grad is not None for p in own), (name, prefix)


def _first_batch(loader):
    """Return dataset and first global batch of a loader's config, without workers."""
    dataset = DATASETS.build(loader['dataset'])
    sampler = DATA_SAMPLERS.build(dict(loader['sampler'], dataset=dataset, seed=0))
    indices = [index for index, _ in islice(sampler, loader['batch_size'])]
    assert sum(sampler.parts) == loader['batch_size'] == len(indices)
    return dataset, reid_collate([dataset[index] for index in indices])


@pytest.mark.parametrize('name', DATA)
def test_data_of_a_config_makes_a_batch(name, data_root, monkeypatch):
    monkeypatch.chdir(data_root)
    config = read(f'configs/_base_/datasets/{name}.py').to_dict()
    dataset, batch = _first_batch(config['train_dataloader'])
    captioned, i2i = dataset.has_caption.any(), not dataset.has_caption.all()
    images, captions = (batch['inputs'][key] for key in ('images', 'captions'))
    assert len(captions) == 64 * captioned
    assert len(images) == 64 * captioned + 64 * i2i
    assert images.shape[1:] == (3, 384 if captioned else 256, 128)
    labels = [sample.label for sample in batch['data_samples']]
    if i2i:
        assert sorted(labels[-64:]) == sorted(4 * list(set(labels[-64:])))
    assert set(labels) <= set(range(dataset.num_ids))


@pytest.mark.parametrize('name', DATA)
def test_data_of_a_config_can_be_scored(name, data_root, monkeypatch):
    monkeypatch.chdir(data_root)
    config = read(f'configs/_base_/datasets/{name}.py').to_dict()
    assert config['test_dataloader'].keys() == config['test_evaluator'].keys()
    for benchmark, loader in config['test_dataloader'].items():
        dataset = DATASETS.build(loader['dataset'])
        metric = METRICS.build(config['test_evaluator'][benchmark])
        batch = reid_collate([dataset[i] for i in range(len(dataset))])
        samples = [sample.to_dict() for sample in batch['data_samples']]
        for sample in samples:
            # A perfect feature: any score below 100 is due to the data
            feature = torch.zeros(20_000)
            feature[sample['pid']] = 1
            sample[f'{metric.task}_feat'] = feature
        metric.process(batch, samples)
        scores = metric.evaluate(len(dataset))
        assert scores['R1'] == scores['mAP'] == 100


@pytest.mark.parametrize('pair', ['', '_icfg-msmt17', '_rstp-duke'])
def test_joint_config_trains_on_its_data(pair, data_root, monkeypatch):
    monkeypatch.chdir(data_root)
    config = read(f'configs/hpl/hpl_vitb16_joint{pair}.py')
    loader = config.train_dataloader.to_dict()
    loader['dataset']['pipeline'][1]['size'] = (32, 16)
    dataset, batch = _first_batch(loader)
    model = shrink(config, dataset.num_ids).float()
    for name, stage in config.train_cfg.stages.items():
        enter_stage(model, name, stage.trainable)
        losses = model.loss(model.data_preprocessor(batch, training=True)['inputs'])
        assert all(torch.isfinite(v) for v in losses.values()), losses


def test_names_follow_the_convention():
    """<method>_<model>_<data>[_<variant>].py, dashes inside a part but `joint_...`."""
    assert [p for p in CONFIGS if not NAME.fullmatch(Path(p).name)] == []


def test_no_config_outside_base_is_long():
    """Longer ones hold a part that belongs in ``_base_``."""
    lengths = {p: len((ROOT / p).read_text('utf-8').splitlines()) for p in CONFIGS}
    assert {p: n for p, n in lengths.items() if n > MAX_LINES} == {}


def test_every_config_survives_dump_and_load(tmp_path):
    dumped, changed = tmp_path / 'dumped.py', []
    for path in CONFIGS:
        config = read(path).to_dict()
        # Layout is most of the time; the test below has it
        Config(deepcopy(config), format_python_code=False).dump(dumped)
        if read_config(str(dumped)).to_dict() != config:
            changed.append(path)
    assert changed == []


@pytest.mark.parametrize('stem', ['irra_vitb16_cuhk-pedes', 'irra_tiny_synthpeds'])
def test_dumped_config_has_the_inserted_transform_once(stem, tmp_path):
    config = read(f'configs/irra/{stem}.py')
    config.dump(tmp_path / 'dumped.py')
    again = read_config(str(tmp_path / 'dumped.py'))
    assert again.to_dict() == config.to_dict()
    steps = [step.type for step in again.train_dataloader.dataset.pipeline]
    assert steps[-3:] == ['TokenizeCaption', 'MaskCaption', 'PackReIDInputs']
    assert steps.count('MaskCaption') == 1


def learning_rates(stage):
    """Return the learning rate of each epoch of a stage, as its schedulers set them."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=stage.optim_wrapper.optimizer.lr)
    schedulers = [
        PARAM_SCHEDULERS.build(
            dict(s), default_args=dict(optimizer=optimizer, end=stage.epochs)
        )
        for s in stage.param_scheduler
    ]
    values = []
    for _ in range(stage.epochs):
        values.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return values


def test_hpl_schedules_are_the_papers():
    stages = read('configs/hpl/hpl_vitb16_joint.py').train_cfg.stages
    construct, align = learning_rates(stages.construct), learning_rates(stages.align)
    assert construct == pytest.approx([5e-5 * 0.8**e for e in range(10)])
    cosine = [
        0.5 * (1 + torch.cos(torch.tensor(torch.pi * e / 55)).item()) for e in range(55)
    ]
    warm_up = [0.1, 0.28, 0.46, 0.64, 0.82]
    expected = [1e-5 * factor for factor in [*warm_up, *cosine]]
    assert align == pytest.approx(expected, rel=1e-5)


def test_identity_tokens_have_the_papers_learning_rate():
    stage = read('configs/hpl/hpl_vitb16_joint.py').train_cfg.stages.construct
    keys = stage.optim_wrapper.paramwise_cfg.custom_keys
    lr = stage.optim_wrapper.optimizer.lr * keys['prompt_learner.id_tokens'].lr_mult
    assert lr == pytest.approx(0.02)


def _heads(path):
    heads = read(path).model.heads
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
        '': [*cic, 'PromptAlignHead', 'PromptRegularizationHead'],
        '_paper': [*cic, 'PromptAlignHead', 'PromptRegularizationHead'],
    }
    for suffix, expected in rows.items():
        assert _heads(f'configs/hpl/{stem}{suffix}.py')['align'] == expected, suffix
    single = read(f'configs/hpl/{stem}_base.py')
    assert single.model.image_encoder.type == 'CLIPImageEncoder'
    assert all(h.get('feature', 'v') == 'v' for h in single.model.heads.align)
    assert list(single.train_cfg.stages) == ['align']


def test_full_size_forward_runs_on_a_cpu():
    model = read('configs/hpl/hpl_vitb16_joint.py').model.to_dict()
    model['image_encoder']['pretrained'] = None
    towers = MODELS.build(model).eval()  # without num_ids, as inference builds it
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
    tokens = towers.image_encoder(inputs['images'])['image_tokens']
    assert tokens.shape == (2, 2 + 24 * 8, 512)


def test_irra_has_the_schedule_that_hpl_took_from_it():
    irra, hpl = (
        read(path).train_cfg.stages.align
        for path in (
            'configs/irra/irra_vitb16_cuhk-pedes.py',
            'configs/hpl/hpl_vitb16_joint.py',
        )
    )
    assert irra.epochs == hpl.epochs == 60
    assert learning_rates(irra) == pytest.approx(learning_rates(hpl))


@pytest.mark.parametrize(
    ('name', 'benchmark'),
    [
        ('irra_vitb16_cuhk-pedes_val', 'cuhk_pedes_val'),
        ('irra_vitb16_rstpreid_val', 'rstpreid_val'),
        ('irra_vitb16_icfg-pedes_holdout', 'icfg_pedes_holdout'),
    ],
)
def test_irra_selects_on_identities_neither_trained_nor_tested_on(
    name, benchmark, data_root, monkeypatch
):
    monkeypatch.chdir(data_root)
    config = read(f'configs/irra/{name}.py').to_dict()
    loader = config['train_dataloader']
    loader['batch_size'] = loader['sampler']['batch_size'] = 32
    train, batch = _first_batch(loader)
    assert batch['inputs']['masking'].shape == (32, 2, 77)
    assert config['default_hooks']['checkpoint']['save_best'] == f'{benchmark}/R1'
    (test,) = config['test_dataloader'].values()
    val, test = (
        DATASETS.build(loader['dataset'])
        for loader in (config['val_dataloader'][benchmark], test)
    )
    METRICS.build(config['val_evaluator'][benchmark]).check_dataset(val)
    pids = [
        {d.get_data_info(i)['pid'] for i in range(len(d))} for d in (train, val, test)
    ]
    assert all(pids)
    assert sum(map(len, pids)) == len(set.union(*pids))


def test_propot_schedule_is_the_papers():
    """From a tenth of the learning rate, six epochs of warm-up, then cosine."""
    stage = read('configs/propot/propot_vitb16_cuhk-pedes.py').train_cfg.stages.align
    warm_up = [0.1 + 0.9 * e / 6 for e in range(6)]
    cosine = [0.5 * (1 + math.cos(math.pi * e / 54)) for e in range(54)]
    expected = [1e-5 * factor for factor in [*warm_up, *cosine]]
    assert learning_rates(stage) == pytest.approx(expected, rel=1e-5)
    keys = stage.optim_wrapper.paramwise_cfg.custom_keys
    assert keys['heads.align'].lr_mult == keys['necks'].lr_mult == 10


PROPOT_ROWS = {
    '_baseline': None,
    '_inipt': {},
    '_dpp': dict(adapt=True, enrich=[]),
    '_ipp-intra': dict(adapt=False, enrich=['intra']),
    '_ipp-inter': dict(adapt=False, enrich=['inter']),
    '_ipp': dict(adapt=False, enrich=['intra', 'inter']),
    '_dpp-ipp': dict(adapt=True, enrich=['intra', 'inter']),
    '': dict(adapt=True, enrich=['intra', 'inter']),
}


@pytest.mark.parametrize('row', PROPOT_ROWS)
def test_propot_rows_are_what_they_are_called(row):
    config = read(f'configs/propot/propot_vitb16_cuhk-pedes{row}.py').to_dict()
    heads = {h['type']: h for h in config['model']['heads']['align']}
    base = {'SDMHead', 'CrossModalIDHead'}
    expected, steps = PROPOT_ROWS[row], config['train_cfg']['stages']['align']
    if expected is None:
        assert heads.keys() == base
        assert config['model']['prototypes'] is None
        assert steps['init_features'] is None
        return
    mlm = {'MaskedLanguageHead'} if row == '' else set()
    assert heads.keys() == {*base, 'PrototypeContrastHead', *mlm}
    assert ('masked_language' in config['model']['necks']) == bool(mlm)
    assert ('necks' in steps['trainable']) == bool(mlm)
    assert steps['init_features']['names'] == ['v', 't']
    learner = heads['PrototypeContrastHead']['learner'] or {}
    assert {k: learner[k] for k in expected} == expected
    assert bool(learner) == bool(expected)
