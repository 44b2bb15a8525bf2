"""The towers against open_clip's own model, and the routing by mask."""

import open_clip
import pytest
import torch

from hplreid.models.backbones import (
    CLIPImageEncoder,
    CLIPPromptEncoder,
    CLIPTextEncoder,
    TaskRoutedTransformer,
)
from hplreid.models.prompt_learners import PromptTemplate, clip_tokenizer

ARCH = 'ViT-Ti-16-synthpeds'


@pytest.fixture(scope='module')
def reference():
    torch.manual_seed(0)
    return open_clip.create_model(ARCH, load_weights=False).double().eval()


@pytest.fixture(scope='module')
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'clip.pt'
    torch.save(reference.state_dict(), path)
    return str(path)


def _images(count=2):
    return torch.randn(
        count, 3, 128, 64, dtype=torch.float64, generator=torch.manual_seed(1)
    )


def test_image_encoder_is_open_clips(reference, weights):
    tower = CLIPImageEncoder(ARCH, weights, img_size=(128, 64)).double()
    features = tower(_images())
    expected = reference.encode_image(_images())
    torch.testing.assert_close(features['v'], expected, rtol=0, atol=1e-6)
    assert features['image_tokens'].shape == (2, 1 + 8 * 4, 128)


def test_isolated_v_is_the_v_of_one_class_token(weights):
    single = CLIPImageEncoder(ARCH, weights, img_size=(128, 64)).double()
    routed = TaskRoutedTransformer(
        ARCH, weights, img_size=(128, 64), isolate='always'
    ).double()
    v, u = (routed(_images())[n] for n in 'vu')
    expected = single(_images())['v']
    torch.testing.assert_close(v, expected, rtol=0, atol=1e-12)
    assert (u - v).abs().max() > 1e-4


def test_appended_u_changes_v_without_the_mask(weights):
    single = CLIPImageEncoder(ARCH, weights, img_size=(128, 64)).double()
    routed = TaskRoutedTransformer(ARCH, weights, img_size=(128, 64)).double()
    assert (routed(_images())['v'] - single(_images())['v']).abs().max() > 1e-6


def test_exact_copy_gives_u_equal_v(weights):
    routed = TaskRoutedTransformer(
        ARCH, weights, img_size=(128, 64), i2i_init='copy'
    ).double()
    features = routed(_images())
    torch.testing.assert_close(features['u'], features['v'], rtol=0, atol=1e-12)
    for state in ('_post', '_penultimate'):
        torch.testing.assert_close(
            features[f'u{state}'], features[f'v{state}'], rtol=0, atol=1e-12
        )


def test_separate_projection_starts_as_a_copy_and_then_differs(weights):
    torch.manual_seed(2)
    shared = TaskRoutedTransformer(ARCH, weights, img_size=(128, 64)).double()
    torch.manual_seed(2)
    separate = TaskRoutedTransformer(
        ARCH, weights, img_size=(128, 64), i2i_projection='separate'
    ).double()
    a, b = shared(_images()), separate(_images())
    torch.testing.assert_close(a['u'], b['u'], rtol=0, atol=1e-12)
    separate.i2i_proj.data *= 1.1
    b = separate(_images())
    torch.testing.assert_close(a['v'], b['v'], rtol=0, atol=1e-12)
    torch.testing.assert_close(b['image_tokens'][:, 1], b['u'], rtol=0, atol=0)
    assert (a['u'] - b['u']).abs().max() > 1e-3


def test_stage_only_mask():
    tower = TaskRoutedTransformer(ARCH, img_size=(128, 64), isolate='construct')
    tower.enter_stage('construct')
    assert tower.attention_mask(5) is not None
    tower.enter_stage('align')
    assert tower.attention_mask(5) is None


@pytest.mark.parametrize(
    'option', ['i2i_init', 'i2i_position', 'isolate', 'i2i_projection']
)
def test_unknown_option_is_refused(option):
    with pytest.raises(ValueError, match=f"{option}='other'.*expected one of"):
        TaskRoutedTransformer(ARCH, img_size=(128, 64), **{option: 'other'})


@pytest.mark.parametrize(
    ('size', 'stride', 'grid'),
    [
        ((128, 64), None, (8, 4)),
        ((256, 128), None, (16, 8)),
        ((256, 128), 12, (21, 10)),
    ],
)
def test_grid_follows_size_and_stride(size, stride, grid):
    tower = CLIPImageEncoder(ARCH, img_size=size, stride=stride)
    assert tower.grid == grid
    tokens = tower(torch.zeros(1, 3, *size))['image_tokens']
    assert tokens.shape[1] == 1 + grid[0] * grid[1]


def test_text_encoder_is_open_clips_and_cutting_at_eot_changes_nothing(
    reference, weights
):
    tower = CLIPTextEncoder(ARCH, weights).double()
    captions = clip_tokenizer()(['a man in a red coat', 'a woman with a bag and a hat'])
    expected = reference.encode_text(captions)
    torch.testing.assert_close(tower(captions)['t'], expected, rtol=0, atol=1e-6)
    longest = captions.argmax(dim=1).max() + 1
    cut = tower(captions[:, :longest])
    torch.testing.assert_close(cut['t'], tower(captions)['t'], rtol=0, atol=1e-12)
    assert cut['text_tokens'].shape == (2, longest, 128)


@pytest.mark.parametrize('pad', [False, True])
def test_composed_prompt_is_the_sentence_it_spells(weights, pad):
    captions = clip_tokenizer()(['A photo of a tall old man and big bag person.'])
    text = CLIPTextEncoder(ARCH, weights).double()
    prompt = CLIPPromptEncoder(ARCH, weights).double()
    table = text.token_table
    template = PromptTemplate(
        'A photo of a {id} and {inst} person.', {'id': 3, 'inst': 2}, table, pad=pad
    )
    embedded = table[captions]
    spelled = template(id=embedded[:, 5:8], inst=embedded[:, 9:11])
    assert spelled.shape[1] == (77 if pad else template.length)
    assert captions[0, template.eot] == 49407
    torch.testing.assert_close(
        prompt(spelled, template.eot), text(captions)['t'], rtol=0, atol=1e-12
    )
