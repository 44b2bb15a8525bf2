"""The forward pass has the precision; everything else stays in fp32."""

import pytest
import torch
from torch import nn

from hplreid.engine import AutocastOptimWrapper


def wrap(precision, **kwargs):
    model = nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return model, AutocastOptimWrapper(precision, optimizer=optimizer, **kwargs)


@pytest.mark.parametrize(
    ('precision', 'dtype'), [('fp32', torch.float32), ('bf16', torch.bfloat16)]
)
def test_the_forward_pass_has_the_precision(precision, dtype):
    model, wrapper = wrap(precision)
    with wrapper.optim_context(model):
        y = model(torch.ones(2, 4))
    assert y.dtype == dtype
    before = model.weight.detach().clone()
    wrapper.update_params(y.float().sum())
    assert model.weight.dtype == torch.float32
    # d(sum y)/dW is 2 everywhere
    torch.testing.assert_close(model.weight, before - 1.0)


def test_autocast_ends_with_the_context():
    model, wrapper = wrap('bf16')
    with wrapper.optim_context(model):
        pass
    assert model(torch.ones(1, 4)).dtype == torch.float32


def test_fp16_needs_cuda():
    with pytest.raises(
        ValueError, match="'fp16' needs a CUDA device, and this is 'cpu'"
    ):
        wrap('fp16')


def test_unknown_precisions_are_errors():
    with pytest.raises(ValueError, match=r"precision='half': expected one of \['auto'"):
        wrap('half')


def test_clipping_keeps_the_norm_as_a_tensor():
    model, wrapper = wrap('fp32', clip_grad=dict(max_norm=0.1))
    before = model.weight.detach().clone(), model.bias.detach().clone()
    wrapper.update_params(model(torch.ones(2, 4)).sum())
    # 20 gradients of 2
    torch.testing.assert_close(wrapper.grad_norm, torch.tensor(80.0).sqrt())
    step = 0.5 * 2 * 0.1 / 80**0.5
    torch.testing.assert_close(model.weight, before[0] - step)
    torch.testing.assert_close(model.bias, before[1] - step)


def test_gradients_accumulate():
    model, wrapper = wrap('fp32', accumulative_counts=2)
    before = model.weight.detach().clone()
    wrapper.update_params(model(torch.ones(2, 4)).sum())
    assert torch.equal(model.weight, before)
    wrapper.update_params(model(torch.ones(2, 4)).sum())
    torch.testing.assert_close(model.weight, before - 1.0)


class FakeScaler:
    """A scaler that records the state it loads."""

    state = None

    def state_dict(self):
        return dict(scale=8.0)

    def load_state_dict(self, state):
        self.state = state


def test_the_state_has_the_scaler():
    _, wrapper = wrap('fp32')
    assert 'loss_scaler' not in wrapper.state_dict()
    wrapper.scaler = FakeScaler()
    state = wrapper.state_dict()
    assert state['loss_scaler'] == dict(scale=8.0)
    wrapper.load_state_dict(state)
    assert wrapper.scaler.state == dict(scale=8.0)


def test_the_state_of_a_scaler_is_ignored_without_one():
    _, wrapper = wrap('fp32')
    wrapper.load_state_dict(dict(wrapper.state_dict(), loss_scaler=dict(scale=8.0)))


@pytest.mark.gpu
def test_fp16_skips_a_step_that_overflows():
    model = nn.Linear(4, 4).cuda()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    wrapper = AutocastOptimWrapper('fp16', optimizer=optimizer)
    before = model.weight.detach().clone()
    wrapper.update_params(model(torch.ones(2, 4).cuda()).sum() * float('inf'))
    assert torch.equal(model.weight, before)
    wrapper.update_params(model(torch.ones(2, 4).cuda()).sum())
    torch.testing.assert_close(model.weight, before - 1.0)
