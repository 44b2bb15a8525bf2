"""A stage with cached features: the features, and a training on them."""

import os
import socket

import mmengine.runner.runner
import pytest
import torch
import torch.multiprocessing as mp
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Subset

import hplreid.datasets
import hplreid.models  # noqa: F401
from hplreid.datasets import reid_collate
from hplreid.engine.data_parallel import init_distributed
from hplreid.engine.loops.feature_cache import CachedFeatures, extract_features
from hplreid.engine.loops.stage import parse_stages
from hplreid.registry import DATASETS, MODELS
from tests.helpers import make_market
from tests.test_engine.engine_toy import train
from tests.test_models.test_reid.tiny import ARCH, add_nano_arch

PIPELINE = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=(32, 16)),
    dict(type='PackReIDInputs'),
]
MODEL = dict(
    type='CLIPReID',
    image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
    prompt_encoder=dict(type='CLIPPromptEncoder'),
    prompt_learner=dict(type='IdentityPromptLearner'),
    heads=dict(
        prompt=[dict(type='PromptContrastHead', tau=0.1)],
        encoder=[
            dict(type='TripletHead', feature='v'),
            dict(type='PromptIDHead', feature='v', tau=0.1),
        ],
    ),
    num_ids=4,
)
STOPS = (3, 4, 6, 9)  # within epoch 1 of stage 1, at its end, within epoch 2, stage 2


def data_config(root):
    return dict(
        type='Market1501', data_root=str(root), expected=None, pipeline=PIPELINE
    )


def config_of(root, work_dir, **changes):
    """Two epochs of a cached stage, one of another; 4 steps each."""
    sgd = dict(type='SGD', lr=0.05, momentum=0.9)
    config = Config(
        dict(
            model=MODEL,
            train_dataloader=dict(
                batch_size=8,
                num_workers=0,
                collate_fn=dict(type='reid_collate'),
                sampler=dict(type='IdentitySampler', batch_size=8, num_instances=2),
                dataset=data_config(root),
            ),
            optim_wrapper=dict(type='AutocastOptimWrapper', optimizer=sgd),
            train_cfg=dict(
                type='StagedTrainLoop',
                stages=dict(
                    prompt=dict(
                        epochs=2,
                        trainable=['prompt_learner'],
                        cache_features=['v'],
                        train_dataloader=dict(
                            sampler=dict(
                                _delete_=True, type='ItemSampler', batch_size=8
                            )
                        ),
                    ),
                    encoder=dict(epochs=1, trainable=['image_encoder']),
                ),
            ),
            default_hooks=dict(
                runtime_info=dict(type='LossLogHook'),
                checkpoint=dict(
                    type='AtomicCheckpointHook', interval=1, by_epoch=False
                ),
                sampler_seed=None,
            ),
            model_wrapper_cfg=dict(type='ReIDDataParallel', broadcast_buffers=False),
            default_scope='hplreid',
            randomness=dict(seed=7),
            work_dir=str(work_dir),
            log_level='WARNING',
        )
    )
    config.merge_from_dict(changes)
    return config


@pytest.fixture(autouse=True, scope='module')
def _nano(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')


@pytest.fixture(scope='module')
def market(tmp_path_factory):
    """32 images of 4 identities."""
    return make_market(tmp_path_factory.mktemp('data'), num_ids=4, images_per_id=8)


def build_model_and_loader(root):
    """Return a model and a dataloader of 31 images, which fill no whole batches."""
    torch.manual_seed(3)
    model = MODELS.build(MODEL)
    dataset = Subset(DATASETS.build(data_config(root)), range(31))
    return model, DataLoader(dataset, batch_size=8, collate_fn=reid_collate)


def test_features_are_those_of_the_tower_in_the_order_of_items(market):
    model, loader = build_model_and_loader(market)
    state = torch.get_rng_state()
    features = extract_features(model.train(), loader, ['v', 'v_post'])
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    model.eval()
    rows = []
    for item in loader.dataset:
        inputs = model.data_preprocessor(reid_collate([item]))['inputs']
        rows.append(model.image_encoder(inputs['images']))
    for name in ('v', 'v_post'):
        expected = torch.cat([row[name] for row in rows])
        torch.testing.assert_close(features[name], expected, rtol=0, atol=1e-6)
        assert not features[name].requires_grad
    # Features differ, so that another order would fail
    assert (features['v'][1:] - features['v'][:-1]).abs().amax(1).min() > 1e-5


def test_a_batch_has_the_rows_of_its_positions(market):
    model, loader = build_model_and_loader(market)
    dataset = loader.dataset.dataset
    cached = CachedFeatures(dataset, ['v'])
    cached.fill(model, DataLoader(dataset, batch_size=8, collate_fn=reid_collate))
    assert len(cached) == 32
    everything = cached.__getitems__(range(32))['inputs']['features']['v']
    batch = cached.__getitems__([(30, 5), (2, 6), (17, 7)])  # positions and seeds
    assert torch.equal(batch['inputs']['features']['v'], everything[[30, 2, 17]])
    labels = [sample.label for sample in batch['data_samples']]
    assert labels == dataset.labels[[30, 2, 17]].tolist()
    prepared = model.data_preprocessor(batch, training=True)['inputs']
    assert prepared['labels'].tolist() == labels
    assert prepared['image_only_rows'].tolist() == [0, 1, 2]


@pytest.fixture(scope='module')
def unbroken(market, tmp_path_factory):
    return train(config_of(market, tmp_path_factory.mktemp('unbroken')))


def weights(folder, iteration=12):
    path = f'{folder}/iter_{iteration}.pth'
    return torch.load(path, weights_only=True)['state_dict']


def test_the_stage_trains_its_parameters_on_cached_features(unbroken, market):
    start, between, end = (weights(unbroken.work_dir, i) for i in (1, 8, 12))
    moved = {k for k in start if not torch.equal(start[k], between[k])}
    assert moved == {'prompt_learner.id_tokens'}
    moved = {k for k in end if not torch.equal(end[k], between[k])}
    assert moved
    assert all(k.startswith('image_encoder') for k in moved)


def test_training_on_images_gives_the_same_weights(unbroken, market, tmp_path):
    config = config_of(market, tmp_path)
    config.train_cfg.stages.prompt.cache_features = []
    train(config)
    tokens = weights(tmp_path, 8)['prompt_learner.id_tokens']
    kept = weights(unbroken.work_dir, 8)['prompt_learner.id_tokens']
    first = weights(unbroken.work_dir, 1)['prompt_learner.id_tokens']
    torch.testing.assert_close(tokens, kept, rtol=0, atol=1e-5)
    assert (first - kept).abs().max() > 1e-3


@pytest.mark.parametrize('stop', STOPS)
def test_a_resumed_run_has_the_same_weights(unbroken, market, tmp_path, stop):
    path = f'{unbroken.work_dir}/iter_{stop}.pth'
    train(config_of(market, tmp_path, resume=True, load_from=path))
    expected, found = weights(unbroken.work_dir), weights(tmp_path)
    assert [k for k in expected if not torch.equal(expected[k], found[k])] == []


def test_caching_features_of_a_trained_tower_is_an_error(market, tmp_path):
    config = config_of(market, tmp_path)
    config.train_cfg.stages.prompt.trainable = ['prompt_learner', 'image_encoder']
    with pytest.raises(ValueError, match="'prompt' trains image_encoder.*remove cache"):
        train(config)


def test_parsing_stages_leaves_the_config_unchanged(market, tmp_path):
    """Stages are parsed again after their identities have been counted."""
    config = config_of(market, tmp_path)
    for _ in range(2):
        stages = parse_stages(
            config.train_cfg.stages,
            config.optim_wrapper.to_dict(),
            config.train_dataloader.to_dict(),
        )
        assert stages[0].dataloader['sampler'] == dict(type='ItemSampler', batch_size=8)
        assert stages[1].dataloader['sampler']['num_instances'] == 2


def work(rank, port, folder, market):
    torch.set_num_threads(1)
    (folder / f'arch{rank}').mkdir()
    add_nano_arch(folder / f'arch{rank}')
    DefaultScope.get_instance('worker', scope_name='hplreid')
    os.environ.update(
        RANK=str(rank),
        LOCAL_RANK=str(rank),
        WORLD_SIZE='2',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(port),
    )
    mmengine.runner.runner.collect_env = dict  # see conftest.py
    init_distributed('pytorch', dict(backend='nccl', timeout=60))
    features = extract_features(*build_model_and_loader(market), ['v'])
    torch.save(features, folder / f'features{rank}.pt')
    for name, stop in (('whole', None), ('resumed', 3)):
        path = stop and f'{folder}/whole/iter_{stop}.pth'
        config = config_of(
            market, folder / name, resume=stop is not None, load_from=path
        )
        config.launcher = 'pytorch'
        config.experiment_name = name
        Runner.from_cfg(config).train()


@pytest.fixture(scope='module')
def both(market, tmp_path_factory):
    """The folder with the results of two processes."""
    folder = tmp_path_factory.mktemp('both')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    mp.spawn(work, (port, folder, market), nprocs=2)
    return folder


def test_two_processes_have_the_features_of_one(both, market):
    expected = extract_features(*build_model_and_loader(market), ['v'])['v']
    for rank in range(2):
        found = torch.load(both / f'features{rank}.pt', weights_only=True)['v']
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_two_processes_train_as_one(both, unbroken):
    one, two = weights(unbroken.work_dir), weights(both / 'whole')
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-5)


def test_two_processes_resume_to_the_same_weights(both):
    whole, resumed = weights(both / 'whole'), weights(both / 'resumed')
    assert [k for k in whole if not torch.equal(whole[k], resumed[k])] == []
