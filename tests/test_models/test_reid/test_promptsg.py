"""PromptSG: its prompts, losses, two kinds of inference, and configs."""

import math
from pathlib import Path

import open_clip
import pytest
import torch
from mmengine.registry import DefaultScope
from safetensors.torch import save_file

from hplreid.engine.config.read import read_config
from hplreid.engine.config.resolve import inference_config
from hplreid.engine.loops.stage import set_trainable
from hplreid.models.backbones import CLIPImageEncoder, CLIPTextEncoder
from hplreid.models.part import PartError
from hplreid.models.prompt_learners import InstancePromptLearner
from hplreid.registry import HEADS, MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.checkpoints.load_weights import load_inference_weights

from .tiny import NUM_IDS, make_batch

ROOT = Path(__file__).resolve().parents[3]
ARCH = 'test-nano-wide'  # joint space 20, text 16, images 24 wide
TAU = 0.1
TRAINABLE = ['image_encoder', 'inversion', 'necks', 'heads.align']


@pytest.fixture(autouse=True, scope='module')
def _arch(tmp_path_factory):
    folder = tmp_path_factory.mktemp('arch')
    (folder / f'{ARCH}.json').write_text(
        '{"embed_dim": 20, "quick_gelu": true, "vision_cfg": {"image_size": [32, 16],'
        ' "layers": 2, "width": 24, "head_width": 12, "patch_size": 8}, "text_cfg":'
        ' {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2,'
        ' "layers": 2}}'
    )
    open_clip.add_model_config(folder)


def make_heads(**supcon):
    return [
        dict(type='TripletHead', feature='v_post', name='triplet_v_post'),
        dict(type='TripletHead', feature='interaction', name='triplet_interaction'),
        dict(type='IDHead', feature='interaction_bn', neck=None),
        dict(
            type='PromptContrastHead',
            prompt='prompt_image',
            tau=TAU,
            loss_weight=0.5,
            name='supcon',
            **supcon,
        ),
    ]


def build(num_ids=NUM_IDS, seed=0, **options):
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(seed)
    config = dict(
        type='PromptSG',
        image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
        prompt_encoder=dict(type='CLIPPromptEncoder'),
        inversion=dict(type='MLPInversion', hidden_channels=12),
        prompt_learner=dict(type='InstancePromptLearner'),
        necks=dict(
            interaction=dict(
                type='InteractionNeck',
                reads=('prompt', 'image_tokens'),
                width=8,
                num_heads=2,
            ),
            interaction_bn=dict(type='BNNeck', reads='interaction'),
        ),
        i2i_feature='interaction',
        heads=dict(align=make_heads()),
        num_ids=num_ids,
    )
    return MODELS.build({**config, **options}).double()


def enter(model, trainable=TRAINABLE):
    set_trainable(model, trainable)
    model.enter_stage('align')
    return model.train()


def predict(model, batch):
    samples = [ReIDDataSample() for _ in batch['labels']]
    with torch.no_grad():
        model.eval()(batch, samples, mode='predict')
    return torch.stack([s.i2i_feat for s in samples])


def contrast(anchors, candidates, labels):
    """One direction of L_SupCon, Eq. 5 and 6 corrected, item by item."""
    total = 0.0
    for n, anchor in enumerate(anchors):
        scores = [
            float(anchor @ c) / float(anchor.norm() * c.norm()) / TAU
            for c in candidates
        ]
        normalizer = math.log(sum(math.exp(s) for s in scores))
        positives = [i for i, label in enumerate(labels) if label == labels[n]]
        total -= sum(scores[p] - normalizer for p in positives) / len(positives)
    return total / len(anchors)


def test_supcon_by_loops():
    model, batch = enter(build()), make_batch()
    losses = model.loss(batch)
    bundle = model(batch, mode='tensor')
    v, prompts = (bundle.select(name)[0].detach() for name in ('v', 'prompt_image'))
    labels = batch['labels'].tolist()
    i2t, t2i = contrast(v, prompts, labels), contrast(prompts, v, labels)
    assert losses['loss_supcon_i2t'].item() == pytest.approx(0.5 * i2t)
    assert losses['loss_supcon_t2i'].item() == pytest.approx(0.5 * t2i)
    assert abs(i2t - t2i) > 1e-6


@pytest.mark.parametrize('direction', ['i2t', 't2i'])
def test_one_direction_alone(direction):
    heads = dict(align=make_heads(directions=[direction]))
    losses = enter(build(heads=heads)).loss(make_batch())
    both = enter(build()).loss(make_batch())
    key = f'loss_supcon_{direction}'
    assert {k for k in losses if 'supcon' in k} == {key}
    torch.testing.assert_close(losses[key], both[key])


def test_prompts_are_made_item_by_item():
    model, batch = build().eval(), make_batch()
    bundle = model(batch, mode='tensor')
    prompts, _ = bundle.select('prompt_image')
    v = model.image_encoder(batch['images'])['v']
    words = model.prompt_learner.template
    for row in (0, 5):
        pseudo = model.inversion(None, v[row : row + 1])
        torch.testing.assert_close(bundle.select('pseudo_image')[0][row], pseudo[0])
        prompt = torch.cat([words.words_0, pseudo[0], words.words_1])
        feature = model.prompt_encoder(prompt[None], len(prompt) - 1)[0]
        torch.testing.assert_close(prompts[row], feature)


def test_words_of_the_prompts():
    table = torch.arange(49408, dtype=torch.float64).unsqueeze(1)
    learner = InstancePromptLearner(table, num_inst_tokens=2)
    pseudo = torch.full((1, 2, 1), -1.0, dtype=torch.float64)
    prompt, eot = learner.instance_prompts(pseudo)
    # SOT a photo of a [s s] person . EOT, in CLIP's numbers
    composed = [49406, 320, 1125, 539, 320, -1, -1, 2533, 269, 49407]
    assert prompt[0, :, 0].tolist() == composed
    assert eot == len(composed) - 1
    prompt, eot = learner.constant_prompt()
    constant = [49406, 320, 1125, 539, 320, 2533, 269, 49407]
    assert prompt[0, :, 0].tolist() == constant
    assert eot == len(constant) - 1
    assert not list(learner.parameters())


@pytest.fixture(scope='module')
def clip(tmp_path_factory):
    """A file with the weights of a whole CLIP, and its text tower."""
    torch.manual_seed(3)
    image, text = CLIPImageEncoder(ARCH, img_size=(32, 16)), CLIPTextEncoder(ARCH)
    state = {f'visual.{k}': v for k, v in image.visual.state_dict().items()}
    state.update(text.text.state_dict())
    path = tmp_path_factory.mktemp('clip') / 'nano.safetensors'
    save_file({k: v.contiguous() for k, v in state.items()}, path)
    return str(path), text


def test_constant_is_what_clip_says_of_the_sentence(clip):
    path, text = clip
    tower = dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16), pretrained=path)
    model = build(image_encoder=tower)
    ids = open_clip.get_tokenizer('ViT-B-16')(['A photo of a person.'])
    expected = text(ids)['t'][0].detach().double()
    torch.testing.assert_close(model.prompt_constant, expected, rtol=1e-5, atol=1e-6)


def test_gradients_reach_what_is_trained_and_not_the_text_tower():
    model = enter(build())
    sum(model.loss(make_batch()).values()).backward()
    for name, parameter in model.named_parameters():
        if name.startswith('prompt_encoder'):
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_contrast_trains_the_inversion_through_the_frozen_tower():
    model = enter(build(heads=dict(align=make_heads()[-1:])))
    sum(model.loss(make_batch()).values()).backward()
    assert model.inversion.layers[0].weight.grad.abs().sum() > 0
    assert model.image_encoder.visual.conv1.weight.grad.abs().sum() > 0


def test_a_stage_that_trains_the_text_tower_is_refused():
    with pytest.raises(ValueError, match="Stage 'align' trains prompt_encoder"):
        enter(build(), [*TRAINABLE, 'prompt_encoder'])


def forbid(model, *parts):
    for name in parts:
        getattr(model, name).register_forward_hook(
            lambda *_: pytest.fail('computed although nothing needs it')
        )


def test_constant_inference_calls_no_text_tower():
    model, batch = build(inference='constant'), make_batch()
    forbid(model, 'prompt_encoder', 'inversion')
    found = predict(model, batch)
    tokens = model.image_encoder(batch['images'])['image_tokens']
    expected = model.necks['interaction'](model.prompt_constant, tokens)
    torch.testing.assert_close(found, expected.float())


def test_composed_inference_is_that_of_each_image_alone():
    model, batch = build(), make_batch()
    enter(model).loss(batch)  # moves the running statistics of batch norms
    found = predict(model, batch)
    alone = {**batch, 'images': batch['images'][4:5], 'labels': batch['labels'][4:5]}
    alone['image_rows'] = torch.tensor([0])
    torch.testing.assert_close(predict(model, alone)[0], found[4])


@pytest.mark.parametrize('inference', ['composed', 'constant'])
def test_one_checkpoint_serves_both(inference, tmp_path):
    trained, batch = build(), make_batch()
    enter(trained).loss(batch)
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'epoch_1.pth')
    model = build(num_ids=None, seed=5, inference=inference, heads=None)
    said = load_inference_weights(model, tmp_path / 'epoch_1.pth')
    parts = {'data_preprocessor', 'heads', 'image_encoder', 'necks'}
    composing = {'inversion', 'prompt_encoder', 'prompt_learner'}
    children = {name for name, _ in model.named_children()}
    if inference == 'composed':
        assert children == parts | composing
    else:
        assert children == parts
        assert all(part in said for part in composing)
    trained.inference = inference
    expected = predict(trained, batch)
    assert expected.isfinite().all()
    torch.testing.assert_close(predict(model, batch), expected)


def test_a_model_for_tests_alone_follows_inference_in_either_mode():
    model, batch = build(num_ids=None, inference='constant', heads=None), make_batch()
    model.prompt_constant.fill_(0.1)
    prompt, _ = model.train()(batch, mode='tensor').select('prompt')
    assert (prompt == 0.1).all()


def test_without_a_checkpoint_the_constant_is_no_number():
    model = build(num_ids=None, inference='constant', heads=None)
    assert model.prompt_constant.shape == (20,)
    assert model.prompt_constant.isnan().all()


def test_both_kinds_of_inference_differ():
    model, batch = build(), make_batch()
    composed = predict(model, batch)
    model.inference = 'constant'
    assert (predict(model, batch) - composed).abs().max() > 1e-5


def test_feature_before_and_after_batch_norm():
    batch = make_batch()
    before, after = build(), build(i2i_feature='interaction_bn')
    enter(before).loss(batch)
    after.load_state_dict(before.state_dict())
    x, bn = predict(before, batch), before.necks['interaction_bn'].bn
    y = (x - bn.running_mean) / (bn.running_var + bn.eps).sqrt() * bn.weight
    torch.testing.assert_close(predict(after, batch), y.float())
    assert (x - y).abs().max() > 1e-3
    both = build(i2i_feature=['v_post', 'interaction'])
    assert predict(both, batch).shape == (12, 24 + 8)


def test_training_without_composed_prompts_has_none():
    options = dict(train_prompt='constant', inference='constant')
    heads = dict(align=make_heads()[:-1])
    model, batch = build(heads=heads, **options), make_batch()
    assert not {'inversion', 'prompt_encoder'} & {n for n, _ in model.named_children()}
    enter(model, ['image_encoder', 'necks', 'heads.align'])
    losses = model.loss(batch)
    assert all(torch.isfinite(v) for v in losses.values())
    prompt, _ = model(batch, mode='tensor').select('prompt')
    torch.testing.assert_close(prompt, model.prompt_constant.expand(12, -1))
    with pytest.raises(PartError, match="reads 'prompt_image'"):
        build(**options)


def test_training_follows_train_prompt_and_test_inference():
    model, batch = build(inference='constant'), make_batch()
    enter(model)
    prompt, _ = model(batch, mode='tensor').select('prompt')
    assert (prompt[0] - prompt[1]).abs().max() > 1e-5
    prompt, _ = model.eval()(batch, mode='tensor').select('prompt')
    torch.testing.assert_close(prompt, model.prompt_constant.expand(12, -1))


def test_no_prompt_is_composed_where_nothing_reads_it():
    heads = dict(align=make_heads()[:1])
    model = enter(build(heads=heads))
    forbid(model, 'prompt_encoder', 'inversion')
    assert list(model.loss(make_batch())) == ['loss_triplet_v_post']


def test_inversion_of_hpl():
    query = dict(type='QueryInversion', num_tokens=3, depth=1, num_heads=2)
    model = enter(build(inversion=query))
    sum(model.loss(make_batch()).values()).backward()
    assert model.inversion.queries.grad.abs().sum() > 0
    pseudo, _ = model(make_batch(), mode='tensor').select('pseudo_image')
    assert pseudo.shape == (12, 3, 16)
    assert model.prompt_learner.template.eot == 7 + 3


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(train_prompt='none'), "train_prompt='none': expected one of"),
        (dict(inference='both'), "inference='both': expected one of"),
        (dict(train_prompt='constant'), "set inference='constant' too"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


@pytest.mark.parametrize('directions', ['i2t', (), ('i2t', 'i2t'), ('v2t',)])
def test_directions_are_checked(directions):
    with pytest.raises(ValueError, match='directions='):
        HEADS.build(dict(type='PromptContrastHead', directions=directions))


def read(name):
    return read_config(str(ROOT / f'configs/promptsg/promptsg_{name}.py'))


def test_published_size():
    """94.67 M: 86.14 tower, .79 inversion, 1.05 attention, 6.30 blocks, .39 classes."""
    config = read('vitb16_market1501')
    model = config.model.to_dict()
    model['image_encoder']['pretrained'] = None
    model = MODELS.build({**model, 'num_ids': 751})
    trained = set_trainable(model, config.train_cfg.stages.align.trainable)
    assert trained == pytest.approx(94.67e6, rel=0.01)
    (feature,) = model.eval().image_features(
        {'images': torch.randn(1, 3, 256, 128)}, model.i2i_feature
    )
    assert feature.shape == (1, 512)


def test_rates_are_the_papers():
    stage = read('vitb16_market1501').train_cfg.stages.align
    rate = stage.optim_wrapper.optimizer.lr
    keys = stage.optim_wrapper.paramwise_cfg.custom_keys
    assert rate == 5e-5
    assert rate * keys.image_encoder.lr_mult == pytest.approx(5e-6)
    assert stage.epochs == 60
    (schedule,) = stage.param_scheduler
    assert (schedule.type, schedule.step_size, schedule.gamma) == ('StepLR', 20, 0.1)


def test_rows_differ_from_the_full_method_in_what_they_say():
    full = read('vitb16_market1501').model

    def changed(row):
        other = read(f'vitb16_market1501_{row}').model
        return {k for k in full if other[k] != full[k]}, other

    for row, directions in (('no-i2t', ('t2i',)), ('no-t2i', ('i2t',))):
        keys, model = changed(row)
        assert keys == {'heads'}
        assert tuple(model.heads.align[-1].directions) == directions
        assert model.heads.align[:-1] == full.heads.align[:-1]
    for row, blocks in (('mim-cross', 0), ('mim-cross-1', 1)):
        keys, model = changed(row)
        assert keys == {'necks', 'inference'}
        assert model.necks.interaction.num_blocks == blocks
        assert model.inference == 'constant'
    for row in ('attend-single', 'reweight', 'vis-query'):
        keys, model = changed(row)
        assert keys == {'necks'}
        assert model.necks.interaction.variant == row.replace('-', '_')
        assert model.necks.interaction.num_blocks == 2
    keys, model = changed('constant')
    assert keys == {'inference'}
    keys, model = changed('constant-training')
    assert keys == {'train_prompt', 'inference', 'heads'}
    assert model.heads.align == full.heads.align[:-1]
    keys, model = changed('no-mim')
    assert keys == {'necks', 'heads', 'i2i_feature', 'inference'}
    assert list(model.necks) == ['v_bn']
    assert all(h.get('feature') != 'interaction' for h in model.heads.align)


def test_inference_is_chosen_on_the_command_line():
    config = read('tiny_synthpeds')
    config.merge_from_dict({'model.inference': 'constant'})
    assert config.model == read('tiny_synthpeds_constant').model
    model = MODELS.build(inference_config(config).model.to_dict())
    assert not hasattr(model, 'prompt_encoder')
    assert model.prompt_constant.shape == (128,)
