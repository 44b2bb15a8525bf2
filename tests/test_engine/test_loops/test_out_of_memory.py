"""A step that doesn't fit into the memory of a GPU says what to try."""

from dataclasses import replace

import pytest
import torch
from mmengine.runner import Runner

from hplreid.engine.loops.out_of_memory import (
    TrainingMemoryError,
    explain_out_of_memory,
)
from hplreid.engine.precision import choose_precision
from tests.test_engine.engine_toy import toy_config


def build(folder):
    config = toy_config(folder)
    config.experiment_name = folder.name
    return Runner.from_cfg(config)


def test_a_step_that_does_not_fit_into_the_gpu_says_what_to_try(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')

    runner = build(tmp_path)
    runner.call_hook('before_train_epoch')
    stage = replace(runner.train_loop.stage, micro_batch_size=16)
    monkeypatch.setattr(runner.model, 'train_step', fail)
    batch = dict(
        inputs=dict(
            images=torch.zeros(24, 3, 32, 16),
            captions=torch.zeros(8, 77, dtype=torch.int64),
        ),
        data_samples=[None] * 24,
    )
    for precision, third in (
        ('fp32', 'mixed precision: optim_wrapper.precision=bf16'),
        ('bf16', 'a smaller batch; the precision is bf16 already'),
    ):
        runner.optim_wrapper.precision = choose_precision(precision, 'cpu')
        with pytest.raises(TrainingMemoryError) as caught:
            runner.train_loop.run_iter(0, dict(batch))
        message = str(caught.value)
        assert "A step of stage 'construct' does not fit into the GPU's mem" in message
        assert '24 items of this process, 24 images of 32 x 16, 8 captions' in message
        assert 'train_cfg.stages.construct.micro_batch_size=12' in message
        assert 'model.image_encoder.checkpoint_blocks=True' in message
        assert third in message
        assert 'Tried to allocate 2 GiB' in message
    with (
        pytest.raises(TrainingMemoryError, match='micro_batch_size=8'),
        explain_out_of_memory(batch, stage, runner.optim_wrapper),
    ):
        fail()


@pytest.mark.parametrize(
    'error',
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to alloca"),
        MemoryError(),
    ],
)
def test_a_step_that_does_not_fit_into_the_machine_says_so(tmp_path, error):
    runner = build(tmp_path)
    batch = dict(inputs=[None] * 12, label=[0] * 12)
    with (
        pytest.raises(TrainingMemoryError) as caught,
        explain_out_of_memory(batch, runner.train_loop.stage, runner.optim_wrapper),
    ):
        raise error
    message = str(caught.value)
    assert 'does not fit into memory: 12 items of this process in fp32' in message
    assert 'iB are free now. Try' in message
    assert 'micro_batch_size=6' in message
    assert str(error) in message


def test_other_errors_of_a_step_pass(tmp_path):
    runner = build(tmp_path)
    batch, stage = dict(data_samples=[]), runner.train_loop.stage
    with (
        pytest.raises(RuntimeError, match='^mat1 and mat2$'),
        explain_out_of_memory(batch, stage, runner.optim_wrapper),
    ):
        raise RuntimeError('mat1 and mat2')


@pytest.mark.gpu
def test_the_memory_of_a_gpu_is_in_the_message(tmp_path):
    runner = build(tmp_path)
    batch, stage = dict(inputs={}, data_samples=[]), runner.train_loop.stage
    with (
        pytest.raises(TrainingMemoryError, match=r'GiB of [\d.]+ GiB were in use'),
        explain_out_of_memory(batch, stage, runner.optim_wrapper),
    ):
        torch.empty(2**50, device='cuda')
