"""Features while attention is recorded, and that nothing stays behind."""

import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hplreid.engine.measurement.methods import METHODS
from hplreid.visualization.explain import (
    ExplainError,
    choose_features,
    explain_caption,
    explain_feature,
    record_attention,
)
from hplreid.visualization.explain.recording import attend_explicitly

from .explain_models import build_dual, build_prompted, build_tiny, make_inputs

CAPTIONED = ('hpl', 'irra', 'propot', 'clip')


@pytest.mark.parametrize('name', METHODS)
def test_features_are_those_of_a_test(name):
    model = build_tiny(name)
    inputs = make_inputs(2, (128, 64), torch.float32)
    features = choose_features(model)
    captions = torch.tensor([[49406, 5, 9, 320, 49407, 0]])
    with torch.no_grad():
        plain = model.image_features(inputs, features)[0]
    with record_attention(model), torch.no_grad():
        recorded = model.image_features(inputs, features)[0]
    for one, other in zip(plain, recorded, strict=True):
        one, other = F.normalize(one, dim=0), F.normalize(other, dim=0)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    found = explain_feature(model, inputs, features)
    lengths = plain.norm(dim=1)
    torch.testing.assert_close(found.scores, lengths, rtol=1e-5, atol=0)
    assert found.maps.shape == (2, 8, 4)
    assert (found.maps >= 0).all()
    assert found.maps.std() > 0
    if name in CAPTIONED:
        with torch.no_grad():
            plain = model.text_encoder(captions, ('t',))['t']
            with record_attention(model):
                recorded = model.text_encoder(captions, ('t',))['t']
        one, other = F.normalize(plain), F.normalize(recorded)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    else:
        with pytest.raises(ExplainError, match='compares no captions'):
            explain_caption(model, inputs, captions)


def test_a_batch_is_explained_image_by_image():
    model, inputs = build_dual(), make_inputs(3)
    together = explain_feature(model, inputs, ('v',))
    for i in range(3):
        alone = {key: value[i : i + 1] for key, value in inputs.items()}
        found = explain_feature(model, alone, ('v',))
        torch.testing.assert_close(together.maps[i : i + 1], found.maps)


def test_everything_is_as_before_even_after_an_error():
    model = build_dual(checkpoint_blocks=True).train()
    model.text_encoder.eval()
    model.text_encoder.requires_grad_(False)
    asking = {n for n, p in model.named_parameters() if p.requires_grad}
    before = F.scaled_dot_product_attention
    inside = []

    def fail():
        with record_attention(model):
            inside.append(F.scaled_dot_product_attention is not before)
            inside.append(not model.training)
            inside.append(not model.image_encoder.checkpoint_blocks)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside == [True] * 3
    assert F.scaled_dot_product_attention is before
    assert torch.backends.mha.get_fastpath_enabled()
    assert model.training
    assert not model.text_encoder.training
    assert model.image_encoder.checkpoint_blocks
    assert {n for n, p in model.named_parameters() if p.requires_grad} == asking
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_a_compiled_tower_is_run_op_by_op(monkeypatch):
    model = build_dual()

    def compiled(*_, **__):
        raise AssertionError('the compiled tower was called')

    model.image_encoder._compiled_call_impl = compiled
    assert explain_feature(model, make_inputs(), ('v',)).maps.std() > 0
    assert model.image_encoder._compiled_call_impl is compiled


def test_other_threads_attend_as_ever():
    model, seen = build_dual(), []
    q = torch.randn(1, 2, 3, 4)
    with record_attention(model) as records:
        thread = threading.Thread(
            target=lambda: seen.append(F.scaled_dot_product_attention(q, q, q))
        )
        thread.start()
        thread.join()
        assert not records
    assert torch.equal(seen[0], F.scaled_dot_product_attention(q, q, q))


def test_a_record_knows_its_part():
    model = build_prompted('attend')
    with record_attention(model) as records, torch.no_grad():
        model.image_features(make_inputs(), ('interaction',))
    parts = [record.part for record in records]
    assert parts == [
        *['image_encoder'] * 2,
        *['prompt_encoder'] * 2,
        *['necks.interaction'] * 3,
    ]
    shapes = {record.probs.shape[1:] for record in records if 'image' in record.part}
    assert shapes == {(2, 9, 9)}


def test_layers_of_pytorch_are_recorded_with_and_without_gradients():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True).eval()
    x = torch.randn(2, 5, 8)
    for enabled in (True, False):
        with record_attention(layer) as records, torch.set_grad_enabled(enabled):
            out = layer(x)
        (record,) = records
        assert record.probs.shape == (2, 2, 5, 5)
        torch.testing.assert_close(out, layer(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize('masked', ['none', 'causal', 'bool', 'added'])
def test_explicit_attention_is_the_fused(masked):
    q, k, v = torch.randn(3, 2, 2, 5, 4, dtype=torch.float64)
    seen = torch.rand(5, 5) > 0.4
    seen |= torch.eye(5, dtype=torch.bool)
    options = dict(
        none={},
        causal=dict(is_causal=True),
        bool=dict(attn_mask=seen),
        added=dict(attn_mask=torch.randn(5, 5, dtype=torch.float64), scale=0.7),
    )[masked]
    out, probs = attend_explicitly(q, k, v, **options)
    fused = F.scaled_dot_product_attention(q, k, v, **options)
    torch.testing.assert_close(out, fused, rtol=0, atol=1e-12)
    torch.testing.assert_close(probs.sum(-1), torch.ones(2, 2, 5).double())
    if masked == 'bool':
        assert (probs[:, :, ~seen] == 0).all()


def test_dropout_is_refused():
    q = torch.randn(1, 1, 2, 4)
    with pytest.raises(ValueError, match='dropout_p=0.1'):
        attend_explicitly(q, q, q, dropout_p=0.1)


def test_what_is_not_there_is_said_in_words():
    model = build_dual('CLIPImageEncoder')
    with pytest.raises(ExplainError, match="no token or feature 'u' of an image: .* v"):
        choose_features(model, 'u')
    with pytest.raises(ExplainError, match='no token or feature'):
        choose_features(model, 'image_tokens')
    with pytest.raises(ExplainError, match='Linear can not be explained|NoneType'):
        choose_features(nn.Linear(2, 2))
    model.image_encoder = nn.Linear(2, 2)
    with pytest.raises(ExplainError, match='with Linear as image_encoder'):
        choose_features(model)
