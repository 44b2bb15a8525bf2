"""HPL: what each stage computes, trains and offers, and how it is asked wrongly."""

import copy

import pytest
import torch

from hplreid.models.part import PartError
from hplreid.structures import ReIDDataSample

from .tiny import align_heads, build_hpl, construct_heads, enter, make_batch

CONSTRUCT = {
    'loss_inversion_prompt_image_v',
    'loss_inversion_prompt_text_t',
}


def test_construct_losses_by_hand():
    model, batch = enter(build_hpl(), 'construct'), make_batch()
    losses = model.loss(batch)
    v = model.image_encoder(batch['images'])['v']
    r = torch.stack(
        [
            model.prompt_encoder(*model.prompt_learner.identity_prompts(y.reshape(1)))[
                0
            ]
            for y in batch['labels']
        ]
    )
    # Eq. 8 and 9, one item at a time
    unit = torch.nn.functional.normalize
    s = (unit(v, dim=1) @ unit(r, dim=1).T) / 0.1
    size = range(len(v))
    t2i = -sum(s[i, i] - torch.logsumexp(s[:, i], 0) for i in size) / len(v)
    i2t = -sum(s[i, i] - torch.logsumexp(s[i], 0) for i in size) / len(v)
    contrast = sum(x for k, x in losses.items() if 'inversion' not in k)
    torch.testing.assert_close(contrast, t2i + i2t, rtol=1e-10, atol=1e-10)
    assert set(losses) >= CONSTRUCT


def test_instance_prompts_are_made_item_by_item():
    model, batch = enter(build_hpl(), 'construct'), make_batch()
    bundle = model(batch, mode='tensor')
    tokens = model.image_encoder(batch['images'])['image_tokens']
    for row in (0, 5):
        pseudo = model.image_inversion(tokens[row : row + 1], tokens[row : row + 1, 0])
        prompt, eot = model.prompt_learner.hierarchical_prompts(
            batch['labels'][row : row + 1], pseudo
        )
        expected = model.prompt_encoder(prompt, eot)[0]
        torch.testing.assert_close(bundle.select('prompt_image')[0][row], expected)
    for row in (0, 3):  # a caption alone, cut at its own EOT
        end = batch['captions'][row].argmax() + 1
        text = model.text_encoder(batch['captions'][row : row + 1, :end])
        pseudo = model.text_inversion(text['text_tokens'], text['t'])
        got = bundle.select('pseudo_text', 'captioned')[0][row]
        torch.testing.assert_close(got, pseudo[0])


@pytest.mark.parametrize('stage', ['construct', 'align'])
def test_gradients_reach_what_the_stage_trains_and_nothing_else(stage):
    model = enter(build_hpl(), stage)
    sum(model.loss(make_batch()).values()).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name


def test_stage_one_leaves_the_towers_alone():
    model = enter(build_hpl(), 'construct')
    assert not any(p.requires_grad for p in model.image_encoder.parameters())
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.Adam(p for p in model.parameters() if p.requires_grad)
    sum(model.loss(make_batch()).values()).backward()
    optimizer.step()
    for name, value in model.state_dict().items():
        moved = not torch.equal(value, before[name])
        trained = name.startswith(('prompt_learner.id_tokens', 'image_inv', 'text_inv'))
        assert moved == trained, name


def _losses_with(change, stage='align'):
    model, batch = enter(build_hpl(), stage), make_batch()
    before = {k: v.item() for k, v in model.loss(batch).items()}
    change(batch)
    after = {k: v.item() for k, v in model.loss(batch).items()}
    return {k for k in before if before[k] != after[k]}, set(before)


def test_image_half_does_not_leak_into_t2i_losses():
    changed, all_names = _losses_with(lambda b: b['images'][4:].mul_(2.0))
    assert changed == READS_U
    assert changed < all_names


def test_caption_half_does_not_leak_into_i2i_losses():
    changed, all_names = _losses_with(
        lambda b: b['captions'].__setitem__((slice(None), 2), 7)
    )
    assert changed == all_names - READS_U


READS_U = {'loss_id', 'loss_triplet', 'loss_prompt_id'}


def test_alignment_reaches_the_image_tower_through_the_prompt():
    """Option B: frozen inversion and prompt encoder, no stop-gradient."""

    def gradient(detach):
        head = dict(type='PromptAlignHead', terms=('vgps',), detach_prompt=detach)
        model = enter(build_hpl(heads=dict(align=[head])), 'align')
        sum(model.loss(make_batch()).values()).backward()
        return model.image_encoder.visual.conv1.weight.grad

    assert gradient(detach=False).abs().sum() > 0
    assert gradient(detach=True) is None  # vgps pulls t alone toward g_v


def test_identity_table_is_made_once_a_stage_and_is_right():
    model, batch = enter(build_hpl(), 'align'), make_batch()
    calls = []
    handle = model.prompt_encoder.register_forward_hook(
        lambda module, args, output: calls.append(len(output))
    )
    model.loss(batch)
    model.loss(batch)
    handle.remove()
    assert (
        calls.count(6) == 1
    )  # the table of 6 identities; prompts of 4 captioned items
    table = model.identity_prompts.table()
    for y in range(6):
        r = model.prompt_encoder(
            *model.prompt_learner.identity_prompts(torch.tensor([y]))
        )
        torch.testing.assert_close(table[y], r[0])
    model.prompt_learner.id_tokens.data.mul_(torch.tensor([1.0, -3.0]).reshape(1, 2, 1))
    assert model.identity_prompts.table() is table
    model.enter_stage('align')
    assert (model.identity_prompts.table() - table).abs().max() > 1e-3


def test_identity_prompts_are_encoded_once_for_each_identity_of_the_batch():
    heads = dict(construct=construct_heads()[:1])
    model, batch = enter(build_hpl(heads=heads), 'construct'), make_batch()
    calls = []
    model.prompt_encoder.register_forward_hook(
        lambda module, args, output: calls.append(len(output))
    )
    model.loss(batch)
    assert calls == [len(batch['labels'].unique())]


def test_trained_identity_tokens_get_gradient_through_the_table():
    model = enter(build_hpl(), 'align')
    model.prompt_learner.id_tokens.requires_grad_(True)
    sum(model.loss(make_batch()).values()).backward()
    assert model.prompt_learner.id_tokens.grad.abs().sum() > 0


def test_what_no_head_reads_is_not_computed():
    model = enter(build_hpl(heads=dict(align=align_heads()[:4])), 'align')
    for name in ('image_inversion', 'text_inversion', 'prompt_encoder'):
        getattr(model, name).register_forward_hook(
            lambda *_: pytest.fail('computed although no head reads it')
        )
    assert len(model.loss(make_batch())) >= 4


def test_inference_has_the_two_towers_alone():
    trained, model = build_hpl(), build_hpl(num_ids=None, seed=5)
    assert {n for n, _ in model.named_children()} == {
        'data_preprocessor',
        'heads',
        'image_encoder',
        'necks',
        'text_encoder',
    }
    missing, _ = model.load_state_dict(trained.state_dict(), strict=False)
    assert not missing
    batch = make_batch()
    samples = [ReIDDataSample() for _ in range(12)]
    out = model.eval()(batch, samples, mode='predict')
    expected = trained.eval().image_encoder(batch['images'])
    torch.testing.assert_close(out[7].i2i_feat, expected['u'][7].float())
    torch.testing.assert_close(out[7].t2i_feat, expected['v'][7].float())


def test_captions_are_predicted_alone():
    model = build_hpl(num_ids=None).eval()
    batch = make_batch()
    inputs = {**batch, 'images': torch.empty(0, 3, 0, 0)}
    out = model(inputs, [ReIDDataSample() for _ in range(4)], mode='predict')
    expected = model.text_encoder(batch['captions'])['t'].float()
    torch.testing.assert_close(torch.stack([s.t2i_feat for s in out]), expected)
    assert 'i2i_feat' not in out[0]


@pytest.mark.parametrize(
    ('kwargs', 'error', 'message'),
    [
        (
            dict(heads=dict(align=[dict(type='IDHead', feature='w')])),
            PartError,
            "IDHead of stage 'align' reads 'w'.*offers there: .*'?prompt_image",
        ),
        (dict(heads=dict(train=[])), PartError, "can't be called 'train'"),
        (
            dict(necks=dict(u=dict(type='BNNeck', reads='v'))),
            PartError,
            'has the name',
        ),
        (dict(necks=dict(n=dict(type='BNNeck'))), PartError, "'n' reads nothing"),
        (
            dict(necks=dict(n=dict(type='BNNeck', reads='w'))),
            PartError,
            "Neck 'n' reads .*'w'.*offers before it: .*image_tokens",
        ),
        (dict(inversion_input='rows'), ValueError, "inversion_input='rows'"),
        (dict(i2i_feature=['x']), PartError, 'Retrieval features .*offers'),
        (
            dict(text_inversion=dict(type='LinearInversion', num_tokens=3)),
            PartError,
            'makes 2 pseudo-tokens and text_inversion 3',
        ),
        (
            dict(image_inversion=dict(type='QueryInversoin')),
            PartError,
            "Did you mean 'QueryInversion'",
        ),
        (dict(image_inversion=dict(type='BNNeck')), PartError, 'is a neck'),
    ],
)
def test_refused(kwargs, error, message):
    with pytest.raises(error, match=message):
        build_hpl(**kwargs)


def test_unknown_stage_and_mode():
    model = build_hpl()
    with pytest.raises(ValueError, match="No heads for stage 'other'"):
        model.enter_stage('other')
    with pytest.raises(ValueError, match="mode='train'"):
        model(make_batch(), mode='train')


def test_two_heads_with_one_name_are_refused():
    heads = dict(align=[dict(type='TripletHead'), dict(type='TripletHead')])
    model = enter(build_hpl(heads=heads), 'align')
    with pytest.raises(ValueError, match='give one a `name`'):
        model.loss(make_batch())


@pytest.mark.parametrize('source', ['tokens', 'hidden'])
def test_inversion_input(source):
    model = enter(build_hpl(inversion_input=source), 'construct')
    assert model.image_inversion.in_channels == (16 if source == 'tokens' else 24)
    assert all(torch.isfinite(v) for v in model.loss(make_batch()).values())


def _losses_and_gradients(model, batch):
    losses = model.loss(batch)
    model.zero_grad()
    sum(losses.values()).backward()
    return losses, {n: p.grad for n, p in model.named_parameters()}


@pytest.mark.parametrize('stage', ['construct', 'align'])
@pytest.mark.parametrize('inversion', ['QueryInversion', 'MLPInversion'])
def test_towers_compute_what_is_read_and_no_loss_or_gradient_changes(
    stage, inversion, monkeypatch
):
    network = dict(type=inversion, num_tokens=2)
    if inversion == 'QueryInversion':
        network.update(depth=1, num_heads=2)
    model = enter(build_hpl(image_inversion=network, text_inversion=network), stage)
    batch = make_batch()
    given = []
    hook = model.image_encoder.visual.transformer.resblocks[-1].ln_2
    hook.register_forward_hook(lambda m, args, out: given.append(args[0].shape[:2]))
    told = _losses_and_gradients(model, batch)
    whole, classes = 10, 2
    if inversion == 'MLPInversion':
        assert given == [(12, classes)]
    elif stage == 'construct':
        assert given == [(12, whole)]
    else:  # sequences of the four images with a caption
        assert given == [(4, whole), (8, classes)]
    # The same towers, told nothing: they compute everything
    monkeypatch.setattr(model, '_tower_arguments', {})
    encode = model.text_encoder.forward
    monkeypatch.setattr(model.text_encoder, 'forward', lambda x, reads: encode(x))
    expected = _losses_and_gradients(model, batch)
    assert given[-1] == (12, whole)
    for ours, theirs in zip(told, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
