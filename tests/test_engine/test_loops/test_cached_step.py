"""A step in sub-batches has the losses and gradients of the whole batch."""

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hplreid.engine import AutocastOptimWrapper
from hplreid.engine.loops import set_trainable
from hplreid.engine.loops.cached_step import (
    find_sub_batch_problem,
    train_step_in_sub_batches,
)
from hplreid.models.reid.sub_batches import split_inputs
from hplreid.registry import HEADS, MODELS
from tests.test_models.test_reid.tiny import (
    ARCH,
    NUM_IDS,
    RESNET_ARCH,
    add_nano_arch,
    align_heads,
    construct_heads,
    make_batch,
    slice_batch,
)
from tests.test_models.test_reid.two_processes import in_two_processes

VIT = dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16))
TRT = dict(type='TaskRoutedTransformer', arch=ARCH, img_size=(32, 16))
TEXT = dict(type='CLIPTextEncoder')
PROMPTS = dict(type='CLIPPromptEncoder')
INVERSION = dict(type='QueryInversion', num_tokens=2, depth=1, num_heads=2)
LEARNER = dict(type='PrototypeLearner', num_vectors=2, num_heads=2)
TRIPLET, ID = dict(type='TripletHead', group='all'), dict(type='IDHead', group='all')
MODEL_PARTS = dict(  # what each method trains in its stage
    construct=['prompt_learner', 'image_inversion', 'text_inversion'],
    align=['image_encoder', 'text_encoder', 'logit_scale', 'necks', 'heads.align'],
    encoder=['image_encoder', 'necks', 'heads'],
    prompt=['prompt_learner'],
    instance=['image_encoder', 'inversion', 'necks', 'heads'],
)
HPL = dict(
    type='HPL',
    image_encoder=TRT,
    text_encoder=TEXT,
    prompt_encoder=PROMPTS,
    prompt_learner=dict(type='HierarchicalPromptLearner', num_id_tokens=2),
    image_inversion=INVERSION,
    text_inversion=INVERSION,
)
CLIP_REID = dict(
    type='CLIPReID',
    image_encoder=VIT,
    prompt_encoder=PROMPTS,
    prompt_learner=dict(type='IdentityPromptLearner'),
)
BN = dict(u_bn=dict(type='BNNeck', reads='u'), v_bn=dict(type='BNNeck', reads='v'))
CASES = dict(
    hpl_construct=dict(HPL, heads=dict(construct=construct_heads())),
    hpl_align=dict(
        HPL,
        necks=BN,
        heads=dict(
            align=[*align_heads(), dict(ID, feature='u_bn', neck=None, name='bn')]
        ),
    ),
    every_contrast=dict(
        type='DualEncoder',
        image_encoder=VIT,
        text_encoder=TEXT,
        heads=dict(
            align=[
                dict(type='SDMHead', tau=0.1),
                dict(type='InfoNCEHead'),
                dict(type='TALHead'),
                dict(type='CMPMHead'),
                dict(type='CMPCHead'),
                dict(ID, feature='v'),
                dict(TRIPLET, feature='v'),
                dict(type='CenterHead', feature='v', group='all'),
            ]
        ),
    ),
    irra=dict(
        type='DualEncoder',
        image_encoder=VIT,
        text_encoder=TEXT,
        train_captions='masked',
        necks=dict(
            masked_language=dict(
                type='ImplicitRelation',
                reads=('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
                depth=1,
                num_heads=2,
            )
        ),
        heads=dict(
            align=[
                dict(type='SDMHead', tau=0.1),
                dict(type='CrossModalIDHead'),
                dict(type='MaskedLanguageHead'),
            ]
        ),
    ),
    propot=dict(
        type='Propot',
        image_encoder=VIT,
        text_encoder=TEXT,
        heads=dict(
            align=[dict(type='PrototypeContrastHead', tau=0.1, learner=LEARNER)]
        ),
    ),
    clip_reid_prompt=dict(
        CLIP_REID,
        heads=dict(prompt=[dict(type='PromptContrastHead', similarity='dot')]),
    ),
    clip_reid_encoder=dict(
        CLIP_REID,
        necks=BN | dict(u_bn=dict(type='BNNeck', reads='v_post')),
        heads=dict(
            encoder=[
                dict(ID, feature='u_bn', neck=None, name='a'),
                dict(ID, feature='v_bn', neck=None, name='b'),
                dict(TRIPLET, feature='v_penultimate'),
                dict(type='PromptIDHead', feature='v', group='all'),
            ]
        ),
    ),
    promptsg=dict(
        type='PromptSG',
        image_encoder=VIT,
        prompt_encoder=PROMPTS,
        inversion=dict(type='QueryInversion', num_tokens=1, depth=1, num_heads=2),
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
        heads=dict(
            instance=[
                dict(TRIPLET, feature='interaction'),
                dict(ID, feature='interaction_bn', neck=None),
                dict(type='PromptContrastHead', prompt='prompt_image', tau=0.1),
            ]
        ),
    ),
)


@pytest.fixture(autouse=True, scope='module')
def _nano_arch(tmp_path_factory):
    add_nano_arch(tmp_path_factory.mktemp('arch'))


class Prepared(nn.Module):
    """A preprocessor of batches that are ready."""

    def forward(self, data, training):
        return data


def build(case, **options):
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(0)
    model = MODELS.build({**CASES[case], 'num_ids': NUM_IDS, **options}).double()
    model.data_preprocessor = Prepared()
    (stage,) = model.heads
    names = [n for n in MODEL_PARTS[stage] if n == 'logit_scale' or hasattr(model, n)]
    set_trainable(model, [n for n in [*names, f'heads.{stage}'] if _is_part(model, n)])
    model.enter_stage(stage)
    if case == 'propot':
        labels = torch.arange(NUM_IDS)
        table = torch.randn(NUM_IDS, 16)
        model.receive_features(dict.fromkeys(('v', 't'), (table, labels)))
    return model.train()


def _is_part(model, name):
    return name in dict(model.named_modules()) or name in dict(model.named_parameters())


def data_of(case, **options):
    images_only = case in ('clip_reid_prompt', 'clip_reid_encoder', 'promptsg')
    batch = make_batch(captioned=0 if images_only else 6, image_only=10, **options)
    if case == 'clip_reid_prompt':  # a stage with cached features
        batch['features'] = dict(v=torch.randn(10, 16).double())
        batch.update(images=batch['images'][:0], camids=batch['camids'][:0])
        batch.update(image_rows=batch['image_rows'][:0])
    return dict(inputs=batch, data_samples=[None] * len(batch['labels']))


def gradients_of(model, data, size=None, precision='fp32'):
    """Take a step that updates nothing, and return losses, gradients and buffers."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1)
    wrapper = AutocastOptimWrapper(
        precision, optimizer=optimizer, accumulative_counts=2
    )
    if size is None:
        losses = model.train_step(data, wrapper)
    else:
        losses = train_step_in_sub_batches(model, data, wrapper, size)
    grads = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    return losses, grads, dict(model.named_buffers())


@pytest.mark.parametrize('size', [1, 5])
@pytest.mark.parametrize('case', CASES)
def test_losses_and_gradients_are_those_of_the_whole_batch(case, size):
    torch.manual_seed(1)
    data = data_of(case)
    expected = gradients_of(build(case), data)
    model = build(case)
    trained = [n for n, p in model.named_parameters() if p.requires_grad]
    assert find_sub_batch_problem(model, trained) is None
    found = gradients_of(model, data, size)
    assert len(found[1]) > 3 or case == 'clip_reid_prompt'
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@pytest.mark.gpu
@pytest.mark.parametrize('case', ['hpl_align', 'irra', 'clip_reid_encoder'])
def test_a_gpu_has_the_gradients_of_the_whole_batch_too(case):
    data, models = data_of(case), [build(case).cuda() for _ in range(2)]
    data['inputs'] = {k: v.cuda() for k, v in data['inputs'].items()}
    expected = gradients_of(models[0], data)
    found = gradients_of(models[1], data, 5)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_no_two_gradients_share_their_memory():
    """Or what is added to one, or clipped, is added to the other as well."""
    _, gradients, _ = gradients_of(build('hpl_align'), data_of('hpl_align'))
    assert len({g.data_ptr() for g in gradients.values()}) == len(gradients)


def test_random_numbers_are_those_of_the_first_pass():
    """With dropout: gradients of weights that are known from the features' own."""
    model, data = build('every_contrast'), data_of('every_contrast')
    blocks, seen = model.image_encoder.visual.transformer.resblocks, []
    blocks[0].register_forward_pre_hook(
        lambda _, args: (nn.functional.dropout(args[0], 0.3), *args[1:])
    )
    # Features of each sub-batch: first of 0, 1, 2 and 3, then of 1, 2 and 3 again
    model.image_encoder.register_forward_hook(
        lambda _, args, out: seen.append(out['v'].detach())
    )
    torch.manual_seed(3)
    gradients_of(model, data, size=4)
    after = torch.rand(3)
    assert len(seen) == 7
    assert all(map(torch.equal, seen[1:4], seen[4:]))
    assert not torch.equal(seen[0], seen[1])
    # The generator goes on as if there had been no second pass
    torch.manual_seed(3)
    with torch.no_grad():
        for part in split_inputs(data['inputs'], 4):
            model.image_encoder(part.inputs['images'])
    assert torch.equal(after, torch.rand(3))


def test_weights_that_autocast_has_cast_without_a_graph_still_learn():
    data = data_of('every_contrast')
    data['inputs']['images'] = data['inputs']['images'].float()
    models = [build('every_contrast').float() for _ in range(2)]
    expected = gradients_of(models[0], data, precision='bf16')[1]
    found = gradients_of(models[1], data, 4, precision='bf16')[1]
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = value.abs().max()
        assert (found[name] - value).abs().max() < 0.05 * scale + 1e-6, name


def test_the_parameters_are_updated_and_gradients_forgotten():
    weights = []
    for size in (None, 5):
        model, data = build('every_contrast'), data_of('every_contrast')
        wrapper = AutocastOptimWrapper(
            optimizer=torch.optim.AdamW(model.parameters(), lr=1e-3),
            clip_grad=dict(max_norm=0.1),
        )
        for _ in range(2):
            if size is None:
                model.train_step(data, wrapper)
            else:
                train_step_in_sub_batches(model, data, wrapper, size)
        assert all(p.grad is None for p in model.parameters())
        weights.append(model.state_dict())
    torch.testing.assert_close(*weights, rtol=0, atol=1e-8)


SHARES = (((0, 1, 2), (6, 7, 8, 9, 10)), ((3, 4, 5), (11, 12, 13, 14, 15)))


def _work(rank):
    data = data_of('hpl_align')
    data['inputs'] = slice_batch(data['inputs'], *SHARES[rank])
    wrapped = DistributedDataParallel(build('hpl_align'))
    losses, gradients, _ = gradients_of(wrapped.module, data, size=3)
    return losses, gradients


def test_two_processes_equal_one(tmp_path):
    expected = gradients_of(build('hpl_align'), data_of('hpl_align'))[:2]
    for found in in_two_processes(_work, tmp_path):
        torch.testing.assert_close(found, tuple(expected), rtol=0, atol=1e-10)


def test_parts_have_their_share_of_each_kind():
    parts = split_inputs(data_of('hpl_align')['inputs'], size=5)
    counts = [
        (len(p.inputs['caption_rows']), len(p.inputs['image_only_rows'])) for p in parts
    ]
    assert counts == [(2, 3), (2, 3), (1, 2), (1, 2)]
    rows = torch.cat([p.rows for p in parts])
    assert sorted(rows.tolist()) == list(range(16))


def test_what_nobody_can_split_is_an_error():
    inputs = dict(data_of('hpl_align')['inputs'], heatmaps=torch.zeros(16))
    with pytest.raises(ValueError, match=r"\['heatmaps'\], which can not be split"):
        split_inputs(inputs, 4)


def test_batch_norms_of_what_is_trained_are_a_problem():
    resnet = dict(type='CLIPResNetEncoder', arch=RESNET_ARCH, img_size=(32, 16))
    model = build('clip_reid_prompt', image_encoder=resnet)
    assert find_sub_batch_problem(model, ['prompt_learner']) is None
    problem = find_sub_batch_problem(model, ['image_encoder'])
    assert 'batch norms' in problem
    assert 'would see sub-batches instead of the batch' in problem


def test_a_model_with_losses_of_its_own_is_a_problem():
    problem = find_sub_batch_problem(nn.Linear(2, 2), [''])
    assert 'Linear computes its losses itself' in problem


def test_every_head_is_in_a_case():
    tested = {
        head['type']
        for case in CASES.values()
        for heads in case['heads'].values()
        for head in heads
    }
    ours = {n for n, c in HEADS.module_dict.items() if c.__module__[:8] == 'hplreid.'}
    assert ours == tested
