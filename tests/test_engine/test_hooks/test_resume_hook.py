"""A resumed run has the weights of an uninterrupted one, bit for bit."""

import logging

import pytest
import torch

from hplreid.utils.checkpoints.checkpoint import CheckpointError
from tests.test_engine.engine_toy import toy_config, train

BY_ITERATION = dict(
    default_hooks=dict(
        checkpoint=dict(type='AtomicCheckpointHook', interval=1, by_epoch=False)
    )
)


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """A run with a checkpoint at each of its 15 iterations."""
    return train(toy_config(tmp_path_factory.mktemp('unbroken'), **BY_ITERATION))


@pytest.fixture(scope='module')
def by_epoch(tmp_path_factory):
    """The same run with a checkpoint at each of its 5 epochs."""
    return train(toy_config(tmp_path_factory.mktemp('epochs')))


def assert_same(one, other):
    a, b = one.model.state_dict(), other.model.state_dict()
    assert [k for k in a if not torch.equal(a[k], b[k])] == []
    states = one.optim_wrapper.state_dict(), other.optim_wrapper.state_dict()
    for moments, others in zip(*(s['state'].values() for s in states), strict=True):
        for name, value in moments.items():
            assert torch.equal(value, others[name]), name


# 1: stage I; 2: its end; 3, 4: stage II; 5: all done
@pytest.mark.parametrize('epoch', [1, 2, 3, 4, 5])
def test_resume_from_an_epoch(by_epoch, tmp_path, epoch):
    path = f'{by_epoch.work_dir}/epoch_{epoch}.pth'
    resumed = train(toy_config(tmp_path, resume=True, load_from=path))
    assert resumed.epoch == 5
    assert_same(by_epoch, resumed)


# In stage I, at an epoch's last step, at the stage's last step, in stage II
@pytest.mark.parametrize('iteration', [1, 3, 5, 6, 8, 9, 14])
def test_resume_from_an_iteration(unbroken, tmp_path, iteration):
    path = f'{unbroken.work_dir}/iter_{iteration}.pth'
    resumed = train(toy_config(tmp_path, resume=True, load_from=path, **BY_ITERATION))
    assert resumed.iter == 15
    assert_same(unbroken, resumed)


ACCUMULATED = dict(
    BY_ITERATION,
    optim_wrapper=dict(type='AutocastOptimWrapper', accumulative_counts=4),
)


def test_resume_between_updates_of_accumulated_gradients(tmp_path, caplog):
    unbroken = train(toy_config(tmp_path / 'all', **ACCUMULATED))
    # Updates after the steps 4 and 6 of stage I, 4, 8 and 9 of stage II
    for iteration, left in ((3, True), (4, False), (6, False), (8, True), (14, False)):
        path = f'{unbroken.work_dir}/iter_{iteration}.pth'
        saved = torch.load(path, weights_only=True)['optimizer']
        assert bool(saved.get('gradients')) == left
        config = toy_config(
            tmp_path / str(iteration), resume=True, load_from=path, **ACCUMULATED
        )
        assert_same(unbroken, train(config))
    assert 'gradient of some iterations is lost' not in caplog.text


def test_the_interval_of_checkpoints_changes_nothing(unbroken, by_epoch):
    assert_same(unbroken, by_epoch)


def test_two_resumes(unbroken, tmp_path):
    path = f'{unbroken.work_dir}/iter_2.pth'
    first = toy_config(tmp_path / 'a', resume=True, load_from=path, **BY_ITERATION)
    path = f'{train(first).work_dir}/iter_11.pth'
    second = toy_config(tmp_path / 'b', resume=True, load_from=path, **BY_ITERATION)
    assert_same(unbroken, train(second))


def test_resume_from_the_last_checkpoint_of_the_folder(by_epoch, tmp_path):
    config = toy_config(tmp_path)
    config.train_cfg.stages.pop('align')
    train(config)
    resumed = train(toy_config(tmp_path, resume=True))
    assert_same(by_epoch, resumed)
    assert resumed.model.entered == ['construct', 'align']


def test_every_value_in_a_checkpoint_is_plain(by_epoch):
    for epoch in range(1, 6):
        path = f'{by_epoch.work_dir}/epoch_{epoch}.pth'
        checkpoint = torch.load(path, weights_only=True)
        stage = 'construct' if epoch < 3 else 'align'
        assert checkpoint['stage'] == dict(
            name=stage,
            index=int(epoch >= 3),
            processes=1,
            global_batch=8,
            steps_per_epoch=3,
            validated=0,
        )
        assert checkpoint['meta']['dataset_meta']['label_of'] == {
            100: 0,
            200: 1,
            300: 2,
        }


def test_the_log_history_is_resumed(by_epoch, tmp_path):
    path = f'{by_epoch.work_dir}/epoch_4.pth'
    resumed = train(toy_config(tmp_path, resume=True, load_from=path))
    old, new = (
        r.message_hub.get_scalar('train/loss_id').data[0] for r in (by_epoch, resumed)
    )
    assert old.tolist() == new.tolist()


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(train_dataloader=dict(dataset=dict(shift=100))),
            r'1 identities are missing \(such as 100\); 1 identities are new '
            r'\(such as 400\); 2 identities have another label',
        ),
        (dict(train_dataloader=dict(batch_size=4)), 'global batch of 8.*has 4'),
    ],
)
def test_resuming_with_other_data_is_an_error(by_epoch, tmp_path, changes, message):
    path = f'{by_epoch.work_dir}/epoch_3.pth'
    config = toy_config(tmp_path, resume=True, load_from=path, **changes)
    if 'batch_size' in changes['train_dataloader']:
        config.train_dataloader.sampler.batch = 4
    with pytest.raises(CheckpointError, match=message):
        train(config)


def test_resuming_without_the_stage_is_an_error(by_epoch, tmp_path):
    config = toy_config(
        tmp_path, resume=True, load_from=f'{by_epoch.work_dir}/epoch_3.pth'
    )
    config.train_cfg.stages.pop('align')
    with pytest.raises(CheckpointError, match=r"stage 'align' \(2\).*\['construct'\]"):
        train(config)


def test_resuming_in_a_shorter_stage_is_an_error(by_epoch, tmp_path):
    config = toy_config(
        tmp_path, resume=True, load_from=f'{by_epoch.work_dir}/epoch_5.pth'
    )
    config.train_cfg.stages.align.epochs = 2
    with pytest.raises(RuntimeError, match="Epoch 5, iteration 15 is not in stage 'al"):
        train(config)


def test_resuming_from_weights_alone_is_an_error(by_epoch, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=by_epoch.model.state_dict()), path)
    with pytest.raises(CheckpointError, match='To start from its weights, use load_fr'):
        train(toy_config(tmp_path, resume=True, load_from=str(path)))


def test_load_from_starts_at_the_beginning(by_epoch, tmp_path):
    path = f'{by_epoch.work_dir}/epoch_5.pth'
    runner = train(toy_config(tmp_path, load_from=path))
    assert runner.model.entered == ['construct', 'align']
    assert runner.iter == 15


def test_missing_random_states_are_logged(tmp_path, caplog):
    plain = dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook')))
    path = f'{train(toy_config(tmp_path, **plain)).work_dir}/epoch_1.pth'
    config = toy_config(tmp_path / 'resumed', resume=True, load_from=path)
    # MMEngine's loggers don't propagate records
    with caplog.at_level(logging.WARNING):
        config.experiment_name = 'no_random_states'
        from mmengine.runner import Runner

        runner = Runner.from_cfg(config)
        runner.logger.addHandler(caplog.handler)
        runner.train()
    assert 'has no random states' in caplog.text
