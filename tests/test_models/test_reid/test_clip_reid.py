"""CLIP-ReID: losses by loops, what each stage trains, cameras, sizes, schedules."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope

from hplreid.engine.config.read import read_config
from hplreid.models.backbones import CLIPImageEncoder, TaskRoutedTransformer
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample

from .tiny import ARCH, NUM_IDS, RESNET_ARCH, make_batch

CONFIGS = Path(__file__).parents[3] / 'configs/clip_reid'
VIT = dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16))
RESNET = dict(type='CLIPResNetEncoder', arch=RESNET_ARCH, img_size=(32, 16))


def settings(name='clip-reid_vitb16_market1501'):
    return read_config(str(CONFIGS / f'{name}.py'))


def build(tower=VIT, seed=0, **kwargs):
    """The model of the config with a nano tower, in float64."""
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(seed)
    config = settings().model.to_dict()
    config.update(image_encoder=dict(tower), num_ids=NUM_IDS)
    return MODELS.build({**config, **kwargs}).double()


def enter(model, stage):
    trainable = tuple(settings().train_cfg.stages[stage].trainable)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(trainable))
    model.enter_stage(stage)
    return model.train()


def i2i_batch(**kwargs):
    return make_batch(captioned=0, image_only=10, **kwargs)


def prompts(model, labels):
    """One prompt at a time."""
    learner, encoder = model.prompt_learner, model.prompt_encoder
    one = [encoder(*learner.identity_prompts(y.reshape(1)))[0] for y in labels]
    return torch.stack(one)


@pytest.mark.parametrize('tower', [VIT, RESNET], ids=['vit', 'resnet'])
def test_stage_one_by_loops(tower):
    model, batch = enter(build(tower), 'prompt'), i2i_batch()
    labels = batch['labels'].tolist()
    assert len(set(labels)) < len(labels)
    losses = model.loss(batch)
    v, t = model.image_encoder(batch['images'])['v'], prompts(model, batch['labels'])
    size = range(len(labels))

    def contrast(anchors, candidates):
        total = 0
        for i in size:
            scores = [(anchors[i] * candidates[a]).sum() for a in size]
            norm = sum(s.exp() for s in scores).log()
            positives = [a for a in size if labels[a] == labels[i]]
            total += sum(norm - scores[p] for p in positives) / len(positives)
        return total / len(labels)

    assert set(losses) == {'loss_prompt_contrast_i2t', 'loss_prompt_contrast_t2i'}
    for name, expected in (('i2t', contrast(v, t)), ('t2i', contrast(t, v))):
        torch.testing.assert_close(losses[f'loss_prompt_contrast_{name}'], expected)


def smoothed(logits, label, epsilon=0.1):
    """Cross-entropy of one row with label smoothing."""
    count = len(logits)
    log_p = [x - sum(y.exp() for y in logits).log() for x in logits]
    target = [epsilon / count + (1 - epsilon) * (c == label) for c in range(count)]
    return -sum(q * p for q, p in zip(target, log_p, strict=True))


def triplet(features, labels, margin=0.3):
    total = 0
    for i, x in enumerate(features):
        distances = [(x - y).square().sum().clamp(min=1e-12).sqrt() for y in features]
        same = [d for d, y in zip(distances, labels, strict=True) if y == labels[i]]
        other = [d for d, y in zip(distances, labels, strict=True) if y != labels[i]]
        total += torch.relu(max(same) - min(other) + margin)
    return total / len(labels)


@pytest.mark.parametrize('tower', [VIT, RESNET], ids=['vit', 'resnet'])
def test_stage_two_by_loops(tower):
    model, batch = enter(build(tower), 'encoder'), i2i_batch()
    labels = batch['labels'].tolist()
    losses = model.loss(batch)
    features = model.image_encoder(batch['images'])
    expected = {}
    for name in ('v_penultimate', 'v_post', 'v'):
        expected[f'loss_triplet_{name}'] = triplet(features[name], labels)
    classifiers = [head.classifier.weight for head in model.heads['encoder'][:2]]
    for name, weight in zip(('v_post', 'v'), classifiers, strict=True):
        x = features[name]
        normal = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
        terms = [smoothed(weight @ x, y) for x, y in zip(normal, labels, strict=True)]
        expected[f'loss_id_{name}'] = 0.25 * sum(terms) / len(labels)
    # The table is kept in fp32
    table = prompts(model, torch.arange(NUM_IDS)).float().double()
    terms = [smoothed(table @ v, y) for v, y in zip(features['v'], labels, strict=True)]
    expected['loss_i2t'] = sum(terms) / len(labels)
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)


@pytest.mark.parametrize('stage', ['prompt', 'encoder'])
@pytest.mark.parametrize(
    'tower',
    [VIT, dict(VIT, num_cameras=2, stride=4), RESNET],
    ids=['vit', 'sie-olp', 'resnet'],
)
def test_gradients_reach_what_a_stage_trains_and_nothing_else(tower, stage):
    model = enter(build(tower), stage)
    if stage == 'encoder' and tower is RESNET:
        for layer in range(1, 5):  # zero at the start, and so is what is behind it
            last = getattr(model.image_encoder.visual, f'layer{layer}')[0].bn3
            torch.nn.init.ones_(last.weight)
    sum(model.loss(make_batch(captioned=0, image_only=12)).values()).backward()
    for name, parameter in model.named_parameters():
        if name.endswith('k_proj.bias'):  # softmax drops it
            continue
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name


def test_one_step_of_stage_one_moves_the_tokens_alone():
    model = enter(build(), 'prompt')
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.Adam(p for p in model.parameters() if p.requires_grad)
    sum(model.loss(i2i_batch()).values()).backward()
    optimizer.step()
    moved = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert moved == {'prompt_learner.id_tokens'}


def test_prompts_are_encoded_once_for_each_identity_and_the_table_once():
    model, batch = build(), i2i_batch()
    calls = []
    model.prompt_encoder.register_forward_hook(
        lambda module, inputs, output: calls.append(len(output))
    )
    enter(model, 'prompt').loss(batch)
    assert calls == [len(batch['labels'].unique())]
    enter(model, 'encoder')
    for _ in range(3):
        model.loss(batch)
    assert calls[1:] == [NUM_IDS]
    # Tokens that were learned on: a stage that begins has a table of its own
    table = model.identity_prompts.table()
    model.prompt_learner.id_tokens.data *= -2
    enter(model, 'encoder')
    assert (model.identity_prompts.table() - table).abs().max() > 1e-3


def test_features_that_were_kept_give_the_same_loss_without_the_tower():
    model, batch = enter(build(), 'prompt'), i2i_batch()
    expected = model.loss(batch)
    kept = {'v': model.image_encoder(batch['images'])['v'].detach()}
    model.image_encoder.register_forward_hook(lambda *_: pytest.fail('tower was run'))
    found = model.loss({**batch, 'images': torch.empty(0), 'features': kept})
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_the_token_table_is_not_kept():
    model = build()
    assert all(len(p) < 49408 for p in model.state_dict().values() if p.ndim)
    words = [k for k in model.state_dict() if 'identity_template' in k]
    assert len(words) == 2  # before and after the identity


def test_inference_is_the_image_tower_alone_before_bn_and_unnormalized():
    trained, batch = build(), i2i_batch()
    model = build(num_ids=None, seed=5)
    assert {n for n, _ in model.named_children()} == {
        'data_preprocessor',
        'heads',
        'image_encoder',
        'necks',
    }
    missing, _ = model.load_state_dict(trained.state_dict(), strict=False)
    assert not missing
    samples = model.eval()(batch, [ReIDDataSample() for _ in range(10)], 'predict')
    features = trained.eval().image_encoder(batch['images'])
    expected = torch.cat([features['v_post'], features['v']], dim=1).float()
    found = torch.stack([sample.i2i_feat for sample in samples])
    torch.testing.assert_close(found, expected)
    assert (found.norm(dim=1) - 1).abs().min() > 0.1


def test_features_after_bn_can_be_taken():
    model = build(i2i_feature=('v_post_bn', 'v_bn')).eval()
    for neck in model.necks.values():
        neck.bn.running_mean.normal_()
        neck.bn.running_var.uniform_(0.5, 2)
    batch = i2i_batch()
    samples = model(batch, [ReIDDataSample() for _ in range(10)], 'predict')
    features = model.image_encoder(batch['images'])
    expected = []
    for name in ('v_post', 'v'):
        bn = model.necks[f'{name}_bn'].bn
        centered = features[name] - bn.running_mean
        expected.append(centered / (bn.running_var + 1e-5).sqrt())
    found = torch.stack([sample.i2i_feat for sample in samples])
    torch.testing.assert_close(found, torch.cat(expected, dim=1).float())


# Cameras


def test_a_camera_is_added_to_the_class_token_alone():
    torch.manual_seed(0)
    tower = CLIPImageEncoder(ARCH, img_size=(32, 16), num_cameras=3, camera_scale=2.0)
    tower = tower.double()
    assert 0.01 < tower.camera_embedding.weight.std() < 0.03
    images, camids = i2i_batch()['images'][:4], torch.tensor([2, 0, 2, 1])
    found = tower(images, camids)
    plain = CLIPImageEncoder(ARCH, img_size=(32, 16)).double()
    state = tower.state_dict()
    embedding = state.pop('camera_embedding.weight')
    plain.load_state_dict(state)
    start = plain.visual.class_embedding.data.clone()
    for row, camera in enumerate(camids):
        plain.visual.class_embedding.data = start + 2 * embedding[camera]
        expected = plain(images[row : row + 1])
        for name, value in expected.items():
            torch.testing.assert_close(found[name][row], value[0])
    plain.visual.class_embedding.data = start
    torch.testing.assert_close(tower(images)['v'], plain(images)['v'])
    assert (tower(images)['v'] - found['v']).abs().max() > 1e-4


def test_cameras_that_nobody_knows_are_refused():
    tower = CLIPImageEncoder(ARCH, img_size=(32, 16), num_cameras=3)
    images = torch.zeros(4, 3, 32, 16)
    message = r'Cameras \[-1, 3\]: expected 0 to 2 with num_cameras=3'
    with pytest.raises(ValueError, match=message):
        tower(images, torch.tensor([0, 3, -1, 2]))
    with pytest.raises(ValueError, match='num_cameras=0'):
        CLIPImageEncoder(ARCH, img_size=(32, 16))(images, torch.tensor([0, 1, 1, 0]))
    with pytest.raises(ValueError, match='num_cameras=-1: expected 0 or more'):
        CLIPImageEncoder(ARCH, img_size=(32, 16), num_cameras=-1)


def test_cameras_count_in_stage_two_and_at_test_and_not_in_stage_one():
    model, batch = build(dict(VIT, num_cameras=2)), i2i_batch()
    model.image_encoder.camera_embedding.weight.data *= 50
    other = {**batch, 'camids': 1 - batch['camids']}

    def change(function):
        one, two = function(batch), function(other)
        return max((one[k] - two[k]).abs().max().item() for k in one)

    def predict(inputs):
        samples = [ReIDDataSample() for _ in range(10)]
        model.eval()(inputs, samples, 'predict')
        return dict(enumerate(s.i2i_feat for s in samples))

    assert change(enter(model, 'prompt').loss) == 0
    assert change(enter(model, 'encoder').loss) > 1e-3
    assert change(predict) > 1e-3


def test_a_tower_of_two_class_tokens_has_none():
    tower = TaskRoutedTransformer(ARCH, img_size=(32, 16))
    assert tower.num_cameras == 0
    assert tower(torch.zeros(1, 3, 32, 16))['u'].shape == (1, 16)


# Sizes


@pytest.mark.parametrize(('num_ids', 'millions'), [(751, 88.64), (1041, 89.61)])
def test_parameters_that_are_trained(num_ids, millions):
    config = settings()
    model = config.model.to_dict()
    model['image_encoder']['pretrained'] = None
    with torch.device('meta'):
        model = MODELS.build({**model, 'num_ids': num_ids})
    stages = config.train_cfg.stages.values()
    trained = tuple(prefix for stage in stages for prefix in stage.trainable)
    count = sum(p.numel() for n, p in model.named_parameters() if n.startswith(trained))
    assert count / 1e6 == pytest.approx(millions, abs=0.005)
    published = {751: 89, 1041: 90}[num_ids]
    assert count / 1e6 == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(
    ('name', 'width', 'tokens'),
    [
        ('clip-reid_vitb16_market1501', 768 + 512, 1 + 16 * 8),
        ('clip-reid_vitb16_market1501_sie-olp', 768 + 512, 1 + 21 * 10),
        ('clip-reid_rn50_market1501', 2048 + 1024, 1 + 16 * 8),
    ],
)
def test_feature_of_the_full_size(name, width, tokens):
    model = settings(name).model.to_dict()
    model['image_encoder']['pretrained'] = None
    with torch.device('meta'):
        model = MODELS.build(model).eval()
        inputs = dict(images=torch.empty(2, 3, 256, 128), camids=None)
        (feature,) = model.image_features(inputs, model.i2i_feature)
    assert feature.shape == (2, width)
    sequence = model.image_encoder(inputs['images'])['image_tokens']
    assert sequence.shape[1] == tokens


# Configs


def rates(stage):
    """Learning rate of each epoch, as the schedulers give it."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=stage.optim_wrapper.optimizer.lr)
    defaults = dict(optimizer=optimizer, end=stage.epochs)
    built = [
        PARAM_SCHEDULERS.build(dict(s), default_args=defaults)
        for s in stage.param_scheduler
    ]
    found = []
    for _ in range(stage.epochs):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in built:
            scheduler.step()
    return found


@pytest.mark.parametrize(('model', 'epochs'), [('vitb16', 120), ('rn50', 60)])
def test_rates_of_stage_one(model, epochs):
    stage = settings(f'clip-reid_{model}_market1501').train_cfg.stages.prompt
    assert stage.epochs == epochs
    low, high = 1e-6, 3.5e-4
    cosine = [
        low + (high - low) / 2 * (1 + torch.tensor(torch.pi * e / epochs).cos().item())
        for e in range(epochs + 1)
    ]
    warm_up = [1e-5 + e * (high - 1e-5) / 5 for e in range(5)]
    found = rates(stage)
    # The warm-up is multiplied by the cosine, which has fallen little by then
    fall = 0.001 if epochs == 120 else 0.012
    assert found[:4] == pytest.approx(warm_up[1:], rel=max(fall, 0.003))
    assert found[4:] == pytest.approx(cosine[5:], rel=2e-3)
    assert found[-1] == pytest.approx(low)


@pytest.mark.parametrize(
    ('model', 'rate', 'start', 'drops', 'epochs'),
    [('vitb16', 5e-6, 0.1, (30, 50), 60), ('rn50', 3.5e-4, 0.01, (40, 70), 120)],
)
def test_rates_of_stage_two(model, rate, start, drops, epochs):
    stage = settings(f'clip-reid_{model}_market1501').train_cfg.stages.encoder
    expected = []
    for epoch in range(1, epochs + 1):
        warm = start + (1 - start) * min(epoch, 10) / 10
        expected.append(rate * warm * 0.1 ** sum(epoch >= d for d in drops))
    assert rates(stage) == pytest.approx(expected)
    optim = stage.optim_wrapper
    assert optim.optimizer.weight_decay == {'vitb16': 1e-4, 'rn50': 5e-4}[model]
    assert optim.paramwise_cfg.custom_keys == {'bias': dict(lr_mult=2)}


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.py')), ids=lambda p: p.stem)
def test_rows_are_what_they_are_called(path):
    config = read_config(str(path))
    model, stages = config.model, config.train_cfg.stages
    weights = {h.name: h.get('loss_weight', 1) for h in model.heads.encoder}
    ids = {weights.pop('id_v_post'), weights.pop('id_v')}
    triplets = {f'triplet_{n}' for n in ('v_penultimate', 'v_post', 'v')}
    assert set(weights.values()) == {1}
    if path.stem.endswith('_base'):
        assert (model.type, list(stages)) == ('ImageReID', ['encoder'])
        assert ids == {1}
        assert set(weights) == triplets
    else:
        assert (model.type, list(stages)) == ('CLIPReID', ['prompt', 'encoder'])
        assert ids == {1 if '_rn50_' in path.stem else 0.25}
        assert set(weights) == {*triplets, 'i2t'}
        pipeline = stages.prompt.train_dataloader.dataset.pipeline
        assert not any('Random' in step.type for step in pipeline)
        assert stages.prompt.train_dataloader.sampler.type == 'ItemSampler'
    assert tuple(model.i2i_feature) == ('v_post', 'v')
    tower = model.image_encoder
    cameras = dict(market1501=6, msmt17=15, dukemtmc=8, **{'cuhk03-np': 2})
    known = cameras[path.stem.split('_')[2]] if path.stem.endswith('_sie-olp') else 0
    assert tower.get('num_cameras', 0) == known
    assert tower.get('stride') == (12 if known else None)
    mean = {'vitb16': 0.5, 'rn50': 0.485, 'tiny': None}[path.stem.split('_')[1]]
    assert (model.data_preprocessor.get('mean') or [None])[0] == mean
