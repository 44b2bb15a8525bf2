"""IRRA: its module by hand, its rates, what is left at test, several processes."""

import math

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from hplreid.engine.config.read import read_config
from hplreid.models.losses import cross_entropy, sdm_loss
from hplreid.models.necks import ImplicitRelation
from hplreid.registry import MODELS
from hplreid.utils.checkpoints.load_weights import load_inference_weights

from .tiny import ARCH, NUM_IDS, make_batch, slice_batch
from .two_processes import in_two_processes, losses_and_gradients

WIDTH, HEADS, WORDS = 16, 2, 40
READS = ('masked_tokens', 'image_tokens', 'mask_labels')
LABELS = torch.tensor([[0, 7, 0, 39, 0], [0, 0, 0, 0, 0], [0, 1, 2, 0, 0]])


def random_neck(depth=2):
    """A neck whose every parameter matters."""
    torch.manual_seed(0)
    neck = ImplicitRelation(WIDTH, depth, HEADS, WORDS).double()
    for parameter in neck.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return neck


def sequences(length=5):
    generator = torch.Generator().manual_seed(1)
    text = torch.randn(3, length, WIDTH, dtype=torch.float64, generator=generator)
    image = torch.randn(3, 4, WIDTH, dtype=torch.float64, generator=generator)
    return text, image


def norm(x, ln):
    mean, var = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / (var + ln.eps).sqrt() * ln.weight + ln.bias


def gelu(x):
    return x / (1 + (-1.702 * x).exp())


def attend(q, k, attention):
    """Multi-head attention of one sequence to another, a head at a time."""
    weights = attention.in_proj_weight.chunk(3)
    biases = attention.in_proj_bias.chunk(3)
    q, k, v = (x @ w.T + b for x, w, b in zip((q, k, k), weights, biases, strict=True))
    heads = []
    for part in torch.arange(WIDTH).chunk(HEADS):
        scores = q[:, part] @ k[:, part].T / math.sqrt(len(part))
        heads.append(scores.softmax(-1) @ v[:, part])
    out = attention.out_proj
    return torch.cat(heads, -1) @ out.weight.T + out.bias


def by_hand(neck, text, image):
    """What becomes of the words of one caption."""
    x = attend(
        norm(text, neck.ln_pre_t), norm(image, neck.ln_pre_i), neck.cross_attention
    )
    for block in neck.cross_blocks:
        y = norm(x, block.ln_1)
        x = x + attend(y, y, block.attn)
        fc, proj = block.mlp.c_fc, block.mlp.c_proj
        y = gelu(norm(x, block.ln_2) @ fc.weight.T + fc.bias)
        x = x + y @ proj.weight.T + proj.bias
    return norm(x, neck.ln_post)


def test_module_by_hand():
    neck, (text, image) = random_neck(), sequences()
    costs = neck(text, image, LABELS)
    assert costs.shape == (3, 2)
    assert costs.dtype == torch.float64
    for row in range(3):
        x = by_hand(neck, text[row], image[row])
        torch.testing.assert_close(neck.relate(text, image)[row], x)
        head = neck.mlm_head
        x = norm(gelu(x @ head.dense.weight.T + head.dense.bias), head.ln)
        logits = x @ head.fc.weight.T + head.fc.bias
        places = [p for p in range(5) if LABELS[row, p] > 0]
        expected = sum(
            torch.logsumexp(logits[p], 0) - logits[p, LABELS[row, p]] for p in places
        )
        torch.testing.assert_close(costs[row, 0], torch.as_tensor(expected).double())
        assert costs[row, 1] == len(places)


def test_padding_is_seen_as_published_or_hidden():
    neck, (text, image) = random_neck(), sequences()
    ends = torch.tensor([2, 4, 3])
    hidden, seen = neck.relate(text, image, ends), neck.relate(text, image)
    for row, end in enumerate(ends.tolist()):
        alone = by_hand(neck, text[row, : end + 1], image[row])
        torch.testing.assert_close(hidden[row, : end + 1], alone)
    assert (hidden[0, :3] - seen[0, :3]).abs().max() > 1e-3
    torch.testing.assert_close(hidden[1], seen[1])  # it has none


def test_gradient_reaches_every_parameter():
    neck, (text, image) = random_neck(), sequences()
    neck(text, image, LABELS)[:, 0].sum().backward()
    for name, parameter in neck.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_nothing_masked_is_no_error():
    neck, (text, image) = random_neck(), sequences()
    costs = neck(text, image, torch.zeros_like(LABELS))
    assert torch.equal(costs, torch.zeros(3, 2).double())
    costs.sum().backward()
    assert all(p.grad is not None for p in neck.parameters())  # DDP waits for each


def test_bf16_under_autocast_gives_float32():
    neck, (text, image) = ImplicitRelation(WIDTH, 2, HEADS, WORDS), sequences()
    expected = neck(text.float(), image.float(), LABELS)
    with torch.autocast('cpu', torch.bfloat16):
        costs = neck(text.bfloat16(), image.bfloat16(), LABELS)
    assert costs.dtype == torch.float32
    torch.testing.assert_close(costs, expected, rtol=0.1, atol=0.5)


def test_initialization():
    torch.manual_seed(0)
    width, depth = 128, 4
    neck = ImplicitRelation(width, depth, vocab_size=500)
    small = width**-0.5 * (2 * depth) ** -0.5
    expected = {
        'in_proj_weight': width**-0.5,
        'out_proj.weight': small,
        'c_proj.weight': small,
        'c_fc.weight': (2 * width) ** -0.5,
        'dense.weight': (2 * width) ** -0.5,
        'mlm_head.fc.weight': small,
    }
    found = set()
    for name, parameter in neck.named_parameters():
        key = next((k for k in expected if name.endswith(k)), None)
        if key:
            found.add(key)
            std = parameter.std().item()
            assert std == pytest.approx(expected[key], rel=0.05), name
    assert found == set(expected)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(in_channels=0), 'in_channels=0:'),
        (dict(in_channels=16, depth=0), 'depth=0:'),
        (dict(in_channels=16, num_heads=3), 'num_heads=3: expected a divisor'),
        (dict(in_channels=16, vocab_size=1.5), r'vocab_size=1\.5:'),
    ],
)
def test_rejected_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ImplicitRelation(**options)


def irra_config(path='configs/irra/irra_vitb16_cuhk-pedes.py'):
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    config = read_config(path)
    config.model.image_encoder.pretrained = None
    return config


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_parameters_in_training_and_at_test():
    model = irra_config().model.to_dict()
    with torch.device('meta'):  # their numbers without their memory
        training = MODELS.build({**model, 'num_ids': 11_003})
        inference = MODELS.build(model)
    assert count(training.necks) == 39_273_216
    # CLIP with 193 positions for 197, the classifier, the module
    towers = 149_620_737 - 4 * 768
    assert count(training) == towers + 11_003 * 513 + 39_273_216
    assert round((count(training) - 1) / 1e6, 2) == 194.54  # - 1: the logit scale
    assert count(inference) == towers
    assert {n.split('.')[0] for n, _ in inference.named_parameters()} == {
        'image_encoder',
        'text_encoder',
        'logit_scale',
    }


def build_irra(num_ids=NUM_IDS, seed=0, reads=READS, necks=(), **kwargs):
    """A nano IRRA in float64."""
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(seed)
    relation = dict(
        type='ImplicitRelation', reads=reads, depth=1, num_heads=2, vocab_size=512
    )
    heads = [
        dict(type='SDMHead', tau=0.1),
        dict(type='CrossModalIDHead'),
        dict(type='MaskedLanguageHead'),
    ]
    model = dict(
        type='DualEncoder',
        image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
        text_encoder=dict(type='CLIPTextEncoder'),
        necks=dict(masked_language=relation, **dict(necks)),
        heads=dict(align=heads),
        num_ids=num_ids,
    )
    return MODELS.build({**model, **kwargs}).double()


def test_a_checkpoint_of_training_loads_into_two_towers(tmp_path):
    trained, model = build_irra(), build_irra(num_ids=None, seed=1)
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'a.pth')
    report = load_inference_weights(model, tmp_path / 'a.pth')
    size = len(trained.necks.state_dict())
    assert f'necks.masked_language ({size})' in report
    assert not model.necks
    wanted, found = trained.state_dict(), model.state_dict()
    assert all(torch.equal(wanted[k], v) for k, v in found.items())


def test_a_neck_that_retrieval_needs_is_there_at_test_with_what_it_reads(tmp_path):
    necks = dict(
        bn=dict(type='BNNeck', reads='v'), bn_of_bn=dict(type='BNNeck', reads='bn')
    )
    options = dict(necks=necks, t2i_feature='bn_of_bn')
    trained, model = build_irra(**options), build_irra(num_ids=None, **options)
    assert list(trained.necks) == ['masked_language', 'bn', 'bn_of_bn']
    assert list(model.necks) == ['bn', 'bn_of_bn']
    torch.save(dict(state_dict=trained.state_dict()), tmp_path / 'a.pth')
    assert 'necks.masked_language' in load_inference_weights(model, tmp_path / 'a.pth')
    only_one = build_irra(num_ids=None, necks=necks, i2i_feature='bn')
    assert list(only_one.necks) == ['bn']
    assert not list(build_irra(num_ids=None, necks=necks).necks)


@pytest.mark.parametrize('train_captions', ['clean', 'masked'])
def test_captions_of_the_paper_and_of_the_released_code(train_captions):
    model, batch = build_irra(train_captions=train_captions), make_batch(image_only=0)
    batch['mask_labels'][0, 3] = batch['captions'][0, 3]
    batch['masked_captions'][0, 3] = 49405
    model.enter_stage('align')
    model.train()
    calls = []
    handle = model.text_encoder.register_forward_hook(
        lambda module, args, output: calls.append(len(args[0]))
    )
    losses = model.loss(batch)
    handle.remove()
    assert len(calls) == (2 if train_captions == 'clean' else 1)

    used = batch['captions' if train_captions == 'clean' else 'masked_captions']
    v = model.image_encoder(batch['images'])
    t = model.text_encoder(used)['t']
    labels = batch['labels']
    expected = sdm_loss(v['v'], t, labels, 0.1)
    torch.testing.assert_close(losses['loss_sdm'], expected)
    classify = model.heads['align'][1].classifier
    expected = (
        cross_entropy(classify(v['v']), labels) + cross_entropy(classify(t), labels)
    ) / 2
    torch.testing.assert_close(losses['loss_cross_modal_id'], expected)
    # Words are guessed from the masked captions in any case
    neck = model.necks['masked_language']
    text = model.text_encoder(batch['masked_captions'])['text_tokens']
    x = neck.mlm_head(neck.relate(text, v['image_tokens']))
    expected = torch.nn.functional.cross_entropy(
        x.transpose(1, 2), batch['mask_labels'], ignore_index=0
    )
    torch.testing.assert_close(losses['loss_masked_language'], expected)


def uneven_batch():
    """Four pairs with 1 to 4 masked words."""
    batch = make_batch(image_only=0)
    for row in range(4):
        places = slice(1, 2 + row)
        batch['mask_labels'][row] = 0
        batch['mask_labels'][row, places] = batch['captions'][row, places]
        batch['masked_captions'][row] = batch['captions'][row]
        batch['masked_captions'][row, places] = 49405
    return batch


def cut(batch):
    """Cut captions as the data preprocessor of a process does."""
    end = int(batch['captions'].argmax(dim=1).max()) + 1
    keys = ('captions', 'masked_captions', 'mask_labels')
    return {**batch, **{key: batch[key][:, :end] for key in keys}}


def _build():
    model = build_irra(reads=(*READS, 'eot'))
    model.logit_scale.requires_grad_(False)
    model.enter_stage('align')
    return model.train()


def _work(rank):
    share = cut(slice_batch(uneven_batch(), ((0, 1), (2, 3))[rank], ()))
    return losses_and_gradients(_build(), share), share['captions'].shape[1]


def test_two_processes_with_captions_of_other_lengths_equal_one(tmp_path):
    expected = losses_and_gradients(_build(), cut(uneven_batch()))
    assert 'loss_masked_language' in expected[0]
    (one, length), (other, another) = in_two_processes(_work, tmp_path)
    torch.testing.assert_close(one, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(other, expected, rtol=0, atol=1e-10)
    assert length != another


def test_rates_are_those_of_the_released_code():
    config = irra_config()
    stage = config.train_cfg.stages.align
    # Which decays words and positions that a batch lacks, too
    stage.optim_wrapper.paramwise_cfg.row_decay_mult = 1
    tower = config.model.image_encoder
    tower.update(arch=ARCH, img_size=(32, 16))
    model = MODELS.build({**config.model.to_dict(), 'num_ids': NUM_IDS})
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(stage.trainable)))
    wrapper = build_optim_wrapper(
        model,
        {
            'constructor': 'TrainableOptimConstructor',
            **config.optim_wrapper.to_dict(),
            **stage.optim_wrapper.to_dict(),
        },
    )
    groups = wrapper.optimizer.param_groups
    found = {
        id(p): (group['lr'], group['weight_decay'])
        for group in groups
        for p in group['params']
    }
    seen = set()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert name == 'logit_scale'
            continue
        # As methods describe it, in the order of precedence of the original
        rate, decay, rule = 1e-5, 4e-5, 'plain'
        if 'cross' in name:
            rate, rule = 5e-5, 'cross'
        if 'bias' in name:
            rate, decay, rule = 2e-5, 0.0, f'{rule} bias'
        if 'classifier' in name or 'mlm_head' in name:
            rate, rule = 5e-5, f'{rule} new'
        seen.add(rule)
        assert found[id(parameter)] == pytest.approx((rate, decay)), name
    kinds = ('plain', 'plain bias', 'plain new', 'plain bias new')
    assert seen == {*kinds, 'cross', 'cross bias'}
    outer = [n for n in dict(model.named_parameters()) if 'ln_p' in n and 'necks' in n]
    assert len(outer) == 6
    assert not any('cross' in n for n in outer)
