"""TransReID against timm's own forward, and its two modules against loops."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed

from hplreid.models.backbones import (
    TransReIDEncoder,
    WeightsError,
    shift_and_shuffle,
)

ARCH = 'vit_tiny_patch16_224'
NANO = dict(patch_size=4, embed_dim=24, depth=3, num_heads=2)
SIZE = (32, 16)  # 8 x 4 patches


def build(seed=0, **options):
    torch.manual_seed(seed)
    config = {'arch': ARCH, 'img_size': SIZE, 'arch_options': NANO, **options}
    return TransReIDEncoder(**config).double().eval()


def images(count=3, size=SIZE):
    torch.manual_seed(1)
    return torch.randn(count, 3, *size, dtype=torch.float64)


def randomize(module):
    """Give every parameter another value, norms and biases too."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)


def shuffled_by_hand(patches, shift, groups):
    """The reference's steps on a list, class token at the front."""
    tokens = ['cls', *patches]
    turned = tokens[shift:] + tokens[1:shift]
    if len(turned) % groups:
        turned.append(turned[-2])
    length = len(turned) // groups
    runs = [turned[i * length : (i + 1) * length] for i in range(groups)]
    return [runs[g][i] for i in range(length) for g in range(groups)]


@pytest.mark.parametrize(
    ('count', 'shift', 'groups'),
    [(8, 5, 2), (12, 5, 3), (128, 5, 2), (210, 5, 2), (9, 5, 2), (11, 3, 4), (7, 1, 2)],
)
def test_shift_and_shuffle_is_the_references(count, shift, groups):
    patches = torch.arange(count).view(1, count, 1).expand(2, -1, 3)
    found = shift_and_shuffle(patches, shift, groups)
    expected = shuffled_by_hand(list(range(count)), shift, groups)
    assert found[0, :, 0].tolist() == found[1, :, 2].tolist() == expected
    assert len(expected) == count + count % groups // (groups - 1)


def test_shuffle_by_hand():
    # 0..7 turned by 4 is 4567 0123; dealt from the two halves
    found = shift_and_shuffle(torch.arange(8).view(1, 8, 1))
    assert found.flatten().tolist() == [4, 0, 5, 1, 6, 2, 7, 3]
    # 0..8 turned is 45678 0123, then the second to last, 2, once more
    found = shift_and_shuffle(torch.arange(9).view(1, 9, 1))
    assert found.flatten().tolist() == [4, 0, 5, 1, 6, 2, 7, 3, 8, 2]


@pytest.mark.parametrize('arch', ['vit_tiny_patch16_224', 'deit_tiny_patch16_224'])
def test_without_modules_it_is_timms(arch):
    tower = build(arch=arch, jpm=False)
    randomize(tower)
    reference = timm.create_model(
        arch, pretrained=False, num_classes=0, img_size=SIZE, **NANO
    )
    reference.double().eval().load_state_dict(tower.vit.state_dict())
    features = tower(images())
    assert set(features) == set(tower.feature_dims) == {'v', 'image_tokens'}
    expected = reference.forward_features(images())
    torch.testing.assert_close(features['image_tokens'], expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(features['v'], reference(images()), rtol=0, atol=1e-12)
    assert tower.retrieval_feature == 'v'
    assert {m.eps for m in tower.modules() if isinstance(m, torch.nn.LayerNorm)} == {
        1e-6
    }


@pytest.mark.parametrize('size', [(32, 16), (20, 12), (36, 12)])  # 32, 15, 27 patches
def test_parts_are_those_of_loops(size):
    tower = build(img_size=size, num_parts=3)
    randomize(tower)
    vit, batch = tower.vit, images(size=size)
    features = tower(batch)
    for row, image in enumerate(batch):
        tokens = [vit.cls_token[0, 0], *vit.patch_embed(image[None])[0]]
        x = torch.stack([t + p for t, p in zip(tokens, vit.pos_embed[0], strict=True)])
        for block in list(vit.blocks)[:-1]:
            x = block(x[None])[0]
        v = vit.norm(vit.blocks[-1](x[None]))[0, 0]
        torch.testing.assert_close(features['v'][row], v)
        shuffled = shuffled_by_hand(list(x[1:]), 5, 2)
        length = (len(x) - 1) // 3
        joined = [v]
        for i in range(3):
            sequence = torch.stack([x[0], *shuffled[i * length : (i + 1) * length]])
            part = tower.local_norm(tower.local_block(sequence[None]))[0, 0]
            torch.testing.assert_close(features[f'part_{i + 1}'][row], part)
            joined.append(part / 3)
        torch.testing.assert_close(features['v_parts'][row], torch.cat(joined))


def test_parts_start_from_copies_of_the_last_block():
    tower = build()
    state = tower.vit.blocks[-1].state_dict()
    torch.testing.assert_close(tower.local_block.state_dict(), state)
    tower.vit.blocks[-1].mlp.fc1.weight.data += 1
    assert not torch.equal(
        tower.local_block.mlp.fc1.weight, tower.vit.blocks[-1].mlp.fc1.weight
    )


def test_camera_is_added_to_every_token_three_times():
    tower = build(num_cameras=4, jpm=False)
    table = tower.camera_embedding.weight
    assert 0.01 < table.std() < 0.03  # truncated normal, 0.02
    camids = torch.tensor([2, 0, 3])
    found = tower(images(), camids)['v']
    plain = build(jpm=False)
    plain.vit.load_state_dict(tower.vit.state_dict())
    for row, camid in enumerate(camids.tolist()):
        # To add to every token is to add to every position
        positions = tower.vit.pos_embed + 3 * table[camid]
        plain.vit.pos_embed.data.copy_(positions)
        torch.testing.assert_close(found[row], plain(images())['v'][row])
    other = tower(images(), torch.tensor([2, 1, 3]))['v']
    assert torch.equal(other[0], found[0])
    assert (other[1] - found[1]).abs().max() > 1e-4


def test_unknown_and_missing_cameras_are_errors():
    tower = build(num_cameras=4)
    for wrong in ([0, -1, 1], [0, 4, 1]):
        with pytest.raises(ValueError, match='embeds the cameras 0 to 3'):
            tower(images(), torch.tensor(wrong))
    with pytest.raises(ValueError, match='embeds 4 cameras'):
        tower(images())


def meta_tower(**options):
    """A tower of full size that takes no memory."""
    with torch.device('meta'):
        return TransReIDEncoder(**options)


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_numbers_of_parameters():
    plain = meta_tower(jpm=False)
    # ViT-B/16 of 224 x 224 without a classifier has 85,798,656; 129 positions, not 197
    assert count(plain) == 85_798_656 - (197 - 129) * 768
    block = plain.vit.blocks[-1]
    jpm = meta_tower()
    assert count(jpm) - count(plain) == count(block) + count(plain.vit.norm)
    sie = meta_tower(num_cameras=6)
    assert count(sie) - count(jpm) == 6 * 768


@pytest.mark.parametrize(
    ('size', 'stride', 'grid'),
    [
        ((256, 128), None, (16, 8)),
        ((256, 128), 12, (21, 10)),
        ((384, 128), None, (24, 8)),
    ],
)
def test_full_size_features(size, stride, grid):
    tower = meta_tower(img_size=size, stride=stride)
    assert tower.grid == grid
    features = tower(torch.empty(2, 3, *size, device='meta'))
    assert features['image_tokens'].shape == (2, 1 + grid[0] * grid[1], 768)
    assert tower.retrieval_feature == 'v_parts'
    widths = {n: f.shape[-1] for n, f in features.items()}
    assert widths == tower.feature_dims
    assert widths['v_parts'] == 3840


def test_drop_path_rises_to_the_last_block():
    vit = meta_tower().vit
    rates = [getattr(b.drop_path1, 'drop_prob', 0.0) for b in vit.blocks]
    assert rates == pytest.approx([0.1 * i / 11 for i in range(12)])


def test_gradient_reaches_every_parameter():
    tower = build(num_cameras=2).train()
    randomize(tower)
    features = tower(images(), torch.tensor([0, 1, 1]))
    parts = [features[f'part_{i}'] for i in range(1, 5)]
    sum(f.square().sum() for f in [features['v'], *parts]).backward()
    for name, parameter in tower.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_mmengines_initialization_leaves_the_weights_alone():
    tower = build()
    state = {k: v.clone() for k, v in tower.state_dict().items()}
    torch.nn.Sequential(tower)[0].init_weights()
    torch.testing.assert_close(tower.state_dict(), state, rtol=0, atol=0)


@pytest.fixture(scope='module')
def state():
    """Weights of a square image, with a classifier."""
    torch.manual_seed(3)
    vit = timm.create_model(ARCH, num_classes=5, img_size=16, **NANO)
    torch.nn.init.normal_(vit.pos_embed)
    return vit.state_dict()


def write(state, layout, folder):
    path = folder / ('w.safetensors' if layout == 'safetensors' else 'w.pth')
    if layout == 'safetensors':
        save_file(state, path)
    else:
        torch.save({layout: state} if layout else state, path)
    return str(path)


@pytest.mark.parametrize('layout', ['safetensors', '', 'model', 'state_dict'])
def test_weights_of_a_file(state, layout, tmp_path):
    tower = build(pretrained=write(state, layout, tmp_path)).float()
    loaded = tower.vit.state_dict()
    assert set(state) - set(loaded) == {'head.weight', 'head.bias'}
    for name in loaded.keys() - {'pos_embed'}:
        assert torch.equal(loaded[name], state[name]), name
    # The copy for the parts was made after
    assert torch.equal(
        tower.local_block.mlp.fc1.weight, state['blocks.2.mlp.fc1.weight']
    )
    expected = resample_abs_pos_embed(
        state['pos_embed'], [8, 4], [4, 4], interpolation='bilinear', antialias=False
    )
    torch.testing.assert_close(loaded['pos_embed'], expected)


def test_log_says_what_was_skipped_and_resized(state, tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr('mmengine.logging.MMLogger.info', lambda _, m: lines.append(m))
    build(pretrained=write(state, 'model', tmp_path))
    text = '\n'.join(lines)
    assert 'loaded all 42 tensors from' in text
    assert 'not used: head.weight, head.bias' in text
    assert 'interpolated from a grid of 4x4 patches to 8x4' in text


def test_distillation_token_is_left_out(state, tmp_path):
    distilled = {
        **state,
        'dist_token': torch.zeros(1, 1, 24),
        'pos_embed': torch.cat(
            [
                state['pos_embed'][:, :1],
                torch.full((1, 1, 24), 9.0),
                state['pos_embed'][:, 1:],
            ],
            dim=1,
        ),
    }
    paths = [tmp_path / 'a', tmp_path / 'b']
    for path, weights in zip(paths, (state, distilled), strict=True):
        path.mkdir()
        write(weights, 'model', path)
    one, two = (build(pretrained=str(path / 'w.pth')) for path in paths)
    torch.testing.assert_close(one.vit.state_dict(), two.vit.state_dict())


def test_own_positions_load_as_they_are(tmp_path):
    tower = build(seed=5).float()
    path = tmp_path / 'w.pth'
    torch.save(tower.vit.state_dict(), path)
    again = build(seed=6, pretrained=str(path)).float()
    assert torch.equal(again.vit.pos_embed, tower.vit.pos_embed)


def test_what_does_not_fit_is_named(state, tmp_path):
    broken = {**state, 'norm.weight': torch.zeros(7)}
    del broken['norm.bias']
    path = write(broken, 'model', tmp_path)
    with pytest.raises(WeightsError, match=r'(?s)norm\.bias.*norm\.weight: \(7,\)'):
        build(pretrained=path)
    torch.save({'fc.weight': torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r'no pos_embed.*fc\.weight'):
        build(pretrained=path)
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match='holds a list, expected a dict'):
        build(pretrained=path)


@pytest.mark.parametrize('name', ['w.pth', 'w.safetensors'])
def test_file_of_something_else(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b'no weights, whatever the ending says')
    with pytest.raises(WeightsError, match="can't be read as a checkpoint"):
        build(pretrained=str(path))


@pytest.mark.parametrize(
    ('arch', 'pretrained', 'message'),
    [
        ('vit_base_patch16_224', 'gone/w.pth', "pretrained='gone/w.pth' not found"),
        ('vit_base_patch16_224', 'w.txt/', "pretrained='w.txt/' not found"),
        (
            'vit_base_patch16_224',
            'no_such_tag',
            'no weights .*no_such_tag.*orig_in21k_ft_in1k',
        ),
        ('resnet50', None, "arch='resnet50' is no vision transformer"),
        ('vit_huge_9', None, "arch='vit_huge_9' is no vision transformer"),
    ],
)
def test_preflight_says_what_building_would(arch, pretrained, message):
    with pytest.raises(ValueError, match=message) as error:
        TransReIDEncoder(arch, pretrained)
    assert TransReIDEncoder.find_problems(arch, pretrained) == [str(error.value)]


@pytest.fixture
def _empty_caches(tmp_path, monkeypatch):
    monkeypatch.setattr('torch.hub.get_dir', lambda: str(tmp_path))
    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', lambda *_: None)


@pytest.mark.usefixtures('_empty_caches')
@pytest.mark.parametrize(
    ('pretrained', 'name'),
    [
        ('orig_in21k_ft_in1k', 'vit_base_patch16_224.orig_in21k_ft_in1k'),
        (
            'deit_base_distilled_patch16_224.fb_in1k',
            'deit_base_distilled_patch16_224.fb_in1k',
        ),
    ],
)
def test_missing_cache_says_how_to_fetch(pretrained, name):
    (problem,) = TransReIDEncoder.find_problems(
        'vit_base_patch16_224', pretrained, img_size=(256, 128)
    )
    assert f"timm.create_model('{name}', pretrained=True)" in problem
    assert '--cfg-options model.image_encoder.pretrained=' in problem


@pytest.mark.usefixtures('_empty_caches')
def test_weights_are_found_where_timm_puts_them(tmp_path, monkeypatch):
    from hplreid.models.backbones.vision_weights import find_timm_weights

    hub = tmp_path / 'checkpoints' / 'jx_vit_base_p16_224-80ecf9dd.pth'
    hub.parent.mkdir()
    hub.touch()
    tag = ('vit_base_patch16_224', 'orig_in21k_ft_in1k')
    assert find_timm_weights(*tag) == hub
    hub.unlink()
    asked = []

    def from_cache(repo, name):
        asked.append((repo, name))
        return '/cache/' + name if name == 'pytorch_model.bin' else None

    monkeypatch.setattr('huggingface_hub.try_to_load_from_cache', from_cache)
    assert str(find_timm_weights(*tag)) == '/cache/pytorch_model.bin'
    assert asked[0] == (
        'timm/vit_base_patch16_224.orig_in21k_ft_in1k',
        'model.safetensors',
    )


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(img_size=(32, 2)), r'img_size=\(32, 2\) is smaller than a patch'),
        (dict(img_size=(4, 8)), 'num_parts=4: the image has only 2 patches'),
        (dict(shuffle_groups=5), 'shuffle_groups=5: 32 patches, or one more'),
        (dict(arch_options=dict(NANO, reg_tokens=2)), 'no plain vision transformer'),
        (dict(arch_options=dict(NANO, class_token=False, global_pool='avg')), 'plain'),
    ],
)
def test_rejected_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
