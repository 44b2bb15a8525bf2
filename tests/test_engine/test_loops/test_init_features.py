"""Features before a stage are exact, computed once, saved, and not part of a resume."""

import logging
import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from safetensors import safe_open
from torch.utils.data import DataLoader, Dataset

import hplreid.datasets
import hplreid.engine
import hplreid.models  # noqa: F401
from hplreid.datasets import reid_collate
from hplreid.engine.loops import init_features
from hplreid.engine.loops.feature_cache import extract_feature_rows, extract_features
from hplreid.engine.loops.stage import find_stage_problems, parse_stages
from hplreid.registry import DATASETS, MODELS
from hplreid.structures import ReIDDataSample
from tests.helpers import make_cuhk_pedes, write_image
from tests.test_models.test_reid.tiny import ARCH, add_nano_arch

PLAIN = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=(32, 16)),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]
PIPELINE = [
    *PLAIN[:2],
    dict(type='RandomFlip', prob=0.5),
    PLAIN[2],
    dict(type='MaskCaption'),
    PLAIN[3],
]
FILE = 'align_init_features.safetensors'
NUM_IDS, STEPS = 4, 4


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with 16 pairs of four identities."""
    return make_cuhk_pedes(tmp_path_factory.mktemp('data'), num_ids=NUM_IDS)


MODEL = dict(
    type='Propot',
    image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
    text_encoder=dict(type='CLIPTextEncoder'),
    heads=dict(
        align=[
            dict(type='SDMHead', tau=0.1),
            dict(
                type='PrototypeContrastHead',
                tau=0.1,
                learner=dict(type='PrototypeLearner', num_heads=2),
            ),
        ]
    ),
    num_ids=NUM_IDS,
)


def config_of(data, work_dir, cache=None, **changes):
    """Two epochs of four steps, a checkpoint at each step."""
    dataset = dict(
        type='CUHKPEDES', data_root=str(data), expected=None, pipeline=PIPELINE
    )
    adam = dict(type='Adam', lr=1e-2)
    config = Config(
        dict(
            model=MODEL,
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                collate_fn=dict(type='reid_collate'),
                sampler=dict(type='CaptionSampler', batch_size=4),
                dataset=dataset,
            ),
            optim_wrapper=dict(type='AutocastOptimWrapper', optimizer=adam),
            train_cfg=dict(
                type='StagedTrainLoop',
                stages=dict(
                    align=dict(
                        epochs=2,
                        trainable=['image_encoder', 'text_encoder', 'heads.align'],
                        init_features=dict(names=['v', 't'], pipeline=PLAIN),
                    )
                ),
            ),
            default_hooks=dict(
                runtime_info=dict(type='LossLogHook'),
                checkpoint=dict(
                    type='AtomicCheckpointHook', interval=1, by_epoch=False
                ),
                sampler_seed=None,
            ),
            default_scope='hplreid',
            randomness=dict(seed=0),
            work_dir=str(work_dir),
            log_level='WARNING',
        )
    )
    if cache:
        config.train_cfg.stages.align.init_features.cache = str(cache)
    config.merge_from_dict(changes)
    return config


class AtStart(Hook):
    """A hook that copies the weights with which a stage begins."""

    weights = None

    def before_train(self, runner):
        self.weights = {k: v.clone() for k, v in runner.model.state_dict().items()}


@pytest.fixture
def computations(monkeypatch):
    """A list with an element for each time that features were computed."""
    calls = []

    def count(*args, **kwargs):
        calls.append(args)
        return extract_feature_rows(*args, **kwargs)

    monkeypatch.setattr(init_features, 'extract_feature_rows', count)
    return calls


def run(config):
    run.count = getattr(run, 'count', 0) + 1
    config.experiment_name = f'init{run.count}'
    runner = Runner.from_cfg(config)
    start = AtStart()
    runner.register_hook(start)
    runner.train()
    return runner, start.weights


@pytest.fixture(scope='module')
def whole(data, tmp_path_factory):
    """An uninterrupted run, and the weights that it began with."""
    return run(config_of(data, tmp_path_factory.mktemp('whole')))


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert [k for k in one if not torch.equal(one[k], other[k])] == []


def test_prototypes_are_means_of_features_of_the_first_weights(whole, data):
    """Compare with loops over single items."""
    runner, start = whole
    model = MODELS.build(MODEL)
    model.load_state_dict(start)
    model.eval()
    dataset = DATASETS.build(
        dict(type='CUHKPEDES', data_root=str(data), expected=None, pipeline=PLAIN)
    )
    expected = {'image': {}, 'text': {}}
    for position in range(len(dataset)):
        batch = model.data_preprocessor(reid_collate([dataset[position]]))['inputs']
        label = int(batch['labels'])
        with torch.no_grad():
            v = model.image_encoder(batch['images'])['v'][0]
            t = model.text_encoder(batch['captions'])['t'][0]
        for modality, feature in (('image', v), ('text', t)):
            expected[modality].setdefault(label, []).append(feature)
    for modality, features in expected.items():
        for label, own in features.items():
            assert len(own) == 4
            prototype = runner.model.prototypes.tables()[f'prototypes_{modality}'][
                label
            ]
            torch.testing.assert_close(prototype, sum(own) / 4, rtol=1e-4, atol=1e-5)


def test_training_changes_the_towers_but_not_the_prototypes(whole):
    runner, start = whole
    for name, value in runner.model.state_dict().items():
        if name.startswith('prototypes'):
            assert torch.equal(value, start[name])
    name = 'image_encoder.visual.proj'
    assert not torch.equal(runner.model.state_dict()[name], start[name])


# Within an epoch, and at the end of one
@pytest.mark.parametrize('step', [2, STEPS])
def test_a_resumed_run_is_exact_and_computes_nothing(
    whole, data, tmp_path, computations, step
):
    path = f'{whole[0].work_dir}/iter_{step}.pth'
    resumed, _ = run(config_of(data, tmp_path, resume=True, load_from=path))
    assert not computations
    assert not os.path.exists(f'{tmp_path}/{FILE}')
    assert_same(resumed.model.state_dict(), whole[0].model.state_dict())


def test_load_from_computes_prototypes_anew(whole, data, tmp_path, computations):
    """Without a resume, prototypes are those of the loaded weights."""
    path = f'{whole[0].work_dir}/iter_{2 * STEPS}.pth'
    runner, _ = run(config_of(data, tmp_path, load_from=path))
    assert len(computations) == 1
    old, new = (r.model.prototypes.prototypes_image for r in (whole[0], runner))
    assert not torch.allclose(old, new)


def begin_stage(data, folder, cache, seed=0, pipeline=PLAIN):
    """Compute the features of a stage without a run; return the model."""
    torch.manual_seed(seed)
    model = MODELS.build(MODEL)
    config = config_of(data, folder, cache=cache)
    config.train_cfg.stages.align.init_features.pipeline = pipeline
    (stage,) = parse_stages(
        config.train_cfg.stages.to_dict(),
        config.optim_wrapper.to_dict(),
        config.train_dataloader.to_dict(),
    )
    loader = DataLoader(range(4), batch_size=4)
    init_features.provide_init_features(model, loader, stage, str(folder))
    return model


@pytest.fixture
def logged(caplog):
    """``caplog`` with the records of MMEngine's logger, which propagates none."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
    logger.setLevel(level)


def test_a_run_saves_its_features(whole):
    with safe_open(f'{whole[0].work_dir}/{FILE}', framework='pt') as file:
        assert len(file.metadata()['checksum']) == 64
        assert file.get_tensor('v').shape == file.get_tensor('t').shape == (16, 16)


def test_saved_features_are_read_again(data, tmp_path, computations, logged):
    first = begin_stage(data, tmp_path, tmp_path / 'c')
    assert len(computations) == 1
    assert f"Saved v, t in '{tmp_path}/c/{FILE}'" in logged.text
    assert os.listdir(tmp_path / 'c') == [FILE]  # no temporary file is left
    second = begin_stage(data, tmp_path, tmp_path / 'c')
    assert len(computations) == 1
    assert f"Read v, t from '{tmp_path}/c/{FILE}'" in logged.text
    assert first.prototypes.prototypes_image.any()
    assert_same(first.prototypes.state_dict(), second.prototypes.state_dict())


def change_weights(data, path):
    return dict(seed=1)


def change_image(data, path):
    write_image(next((data / 'imgs' / 'cam_a').glob('001_*')), 'person 9', (48, 96))
    return {}


def change_pipeline(data, path):
    return dict(pipeline=[*PLAIN[:2], dict(type='RandomFlip', prob=1.0), *PLAIN[2:]])


def damage(data, path):
    path.write_bytes(path.read_bytes()[:100])
    return {}


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (change_weights, 'is of other data or weights'),
        (change_image, 'is of other data or weights'),
        (change_pipeline, 'is of other data or weights'),
        (damage, "can't be read"),
    ],
)
def test_an_outdated_or_damaged_file_is_written_anew(
    tmp_path, computations, logged, change, reason
):
    data = make_cuhk_pedes(tmp_path / 'data', num_ids=NUM_IDS)
    path = tmp_path / 'c' / FILE
    begin_stage(data, tmp_path, path.parent)
    before = path.read_bytes()
    begin_stage(data, tmp_path, path.parent, **change(data, path))
    assert len(computations) == 2
    assert f"'{path}' {reason}" in logged.text
    assert (path.read_bytes() == before) == (change is damage)


def test_the_checksum_ignores_heads(data):
    """Features depend on the towers, not on the random weights of heads."""
    torch.manual_seed(0)
    model = MODELS.build(MODEL)
    config = dict(type='CUHKPEDES', data_root=str(data), expected=None, pipeline=PLAIN)
    dataset = DATASETS.build(config)

    def checksum():
        weights = init_features._weights_of(model, ['v', 't'])
        return init_features.compute_checksum(weights, ['v', 't'], dataset, config)

    first = checksum()
    for parameter in model.heads.parameters():
        parameter.data += 1
    assert checksum() == first
    model.text_encoder.text.ln_final.bias.data[3] += 1e-6
    assert checksum() != first


class Mixed(Dataset):
    """Seven images, three of them with captions, which differ in length."""

    captioned = (1, 2, 6)

    def __len__(self):
        return 7

    def __getitem__(self, position):
        generator = torch.Generator().manual_seed(position)
        image = torch.randint(0, 256, (3, 32, 16), generator=generator)
        caption = torch.zeros(77, dtype=torch.int64)
        words = torch.randint(1, 400, (position + 3,), generator=generator)
        caption[: position + 3] = words
        caption[0], caption[position + 3] = 49406, 49407
        return dict(
            inputs=dict(
                image=image.to(torch.uint8),
                caption=caption if position in self.captioned else None,
            ),
            data_samples=ReIDDataSample(metainfo=dict(label=position % 3)),
        )


def extract_mixed(every_item=False, names=('v', 't'), batch=2):
    torch.manual_seed(0)
    model = MODELS.build(MODEL)
    loader = DataLoader(Mixed(), batch_size=batch, collate_fn=reid_collate)
    if every_item:
        return extract_features(model, loader, names)
    return extract_feature_rows(model, loader, names)


def test_features_of_captions_are_those_of_captioned_items():
    found = extract_mixed()
    assert found['v'][1].tolist() == list(range(7))
    assert found['t'][1].tolist() == list(Mixed.captioned)
    assert len(found['v'][0]) == 7
    assert len(found['t'][0]) == 3


def test_a_feature_that_some_items_lack_is_an_error():
    with pytest.raises(ValueError, match="the rows 'all' were asked for"):
        extract_mixed(every_item=True, names=('v', 't'), batch=3)


def test_an_unknown_feature_is_an_error():
    with pytest.raises(KeyError, match="has a feature 'w'"):
        extract_mixed(names=('v', 'w'))


def _work(rank, folder):
    torch.set_num_threads(1)
    (folder / str(rank)).mkdir()
    add_nano_arch(folder / str(rank))
    DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    dist.init_process_group(
        'gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2
    )
    torch.save(extract_mixed(), folder / f'{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_have_the_features_of_one(tmp_path):
    expected = extract_mixed()
    mp.spawn(_work, (tmp_path,), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f'{rank}.pt', weights_only=True)
        for name, (values, items) in expected.items():
            assert found[name][1].tolist() == items.tolist()
            torch.testing.assert_close(found[name][0], values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    'options',
    [
        ['v', 't'],
        dict(names=['v']),
        dict(names=[], pipeline=PLAIN),
        dict(names='v', pipeline=PLAIN),
        dict(names=['v'], pipeline=PLAIN, file='a'),
    ],
)
def test_malformed_init_features_are_errors(options):
    stage = dict(epochs=1, trainable=['heads'], init_features=options)
    (problem,) = find_stage_problems('align', stage)
    assert "stage 'align': init_features=" in problem
    assert 'expected dict(names=' in problem


def test_a_method_without_prototypes_rejects_them(data, tmp_path):
    config = config_of(data, tmp_path)
    config.model = dict(
        MODEL, type='DualEncoder', heads=dict(align=[dict(type='SDMHead', tau=0.1)])
    )
    config.train_cfg.stages.align.trainable = ['image_encoder']
    with pytest.raises(ValueError, match="'v', 't'.*DualEncoder has no use for"):
        run(config)
