"""The tiny CLIP that ships: small, safe, complete, and says how it was made."""

from safetensors import safe_open

from hplreid.models.backbones import CLIPImageEncoder, CLIPTextEncoder, find_weights
from hplreid.models.prompt_learners import clip_tokenizer

ARCH = 'ViT-Ti-16-synthpeds'


def test_size_and_origin():
    path = find_weights(ARCH, 'synthpeds')
    assert path.stat().st_size <= 16_000_000
    with safe_open(path, 'pt') as file:
        note = file.metadata()['note']
    assert 'configs/clip/clip_tiny_synthpeds.py' in note
    assert 'seed' in note


def test_loads_into_both_towers():
    image = CLIPImageEncoder(ARCH, 'synthpeds', img_size=(128, 64))
    text = CLIPTextEncoder(ARCH, 'synthpeds')
    assert image.embed_dim == text.embed_dim == 128
    words = clip_tokenizer()(
        [
            'A man in a red shirt and black trousers.',
            'The guy wears a red top and black pants.',
            'A woman in a long white coat with a blue handbag.',
        ]
    )
    t = text(words)['t']
    t = t / t.norm(dim=1, keepdim=True)
    assert t[0] @ t[1] > t[0] @ t[2] + 0.2
