"""Every kind of tower at a few thousand parameters, and what it is given."""

import torch

from hplreid.models.backbones import (
    CLIPImageEncoder,
    CLIPPromptEncoder,
    CLIPResNetEncoder,
    CLIPTextEncoder,
    ResNetEncoder,
    TaskRoutedTransformer,
    TransReIDEncoder,
)
from tests.test_models.test_reid.tiny import ARCH, RESNET_ARCH

SIZE = (32, 16)


def _transreid(**options):
    vit = dict(depth=3, embed_dim=24, num_heads=2, patch_size=8)
    return TransReIDEncoder(
        img_size=SIZE, num_cameras=2, num_parts=2, arch_options=vit, **options
    )


TOWERS = {
    'clip': lambda **o: CLIPImageEncoder(ARCH, img_size=SIZE, num_cameras=2, **o),
    'routed': lambda **o: TaskRoutedTransformer(
        ARCH, img_size=SIZE, i2i_projection='separate', **o
    ),
    'isolated': lambda **o: TaskRoutedTransformer(
        ARCH, img_size=SIZE, isolate='always', **o
    ),
    'transreid': _transreid,
    'text': lambda **o: CLIPTextEncoder(ARCH, **o),
    'prompt': lambda **o: CLIPPromptEncoder(ARCH, **o),
    'clip-resnet': lambda **o: CLIPResNetEncoder(RESNET_ARCH, img_size=SIZE, **o),
    'resnet': lambda **o: ResNetEncoder('resnet18', **o),
}
TRANSFORMERS = ('clip', 'routed', 'isolated', 'transreid', 'text', 'prompt')
RESNETS = ('clip-resnet', 'resnet')


def build(name, dtype=torch.float64, **options):
    """Build a tower whose every parameter shows: none is left at zero."""
    torch.manual_seed(0)
    tower = TOWERS[name](**options)
    with torch.no_grad():
        for parameter in tower.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return tower.to(dtype)


def inputs_of(name, dtype=torch.float64, count=4):
    """Return the positional arguments of a tower's forward."""
    generator = torch.Generator().manual_seed(1)
    if name == 'text':
        captions = torch.randint(1, 400, (count, 9), generator=generator)
        for row in range(count):
            captions[row, 3 + row] = 49407
        return (captions,)
    if name == 'prompt':
        prompts = torch.randn(count, 9, 16, dtype=dtype, generator=generator)
        return prompts, 6
    images = torch.randn(count, 3, *SIZE, dtype=dtype, generator=generator)
    if name in ('clip', 'transreid'):
        return images, torch.arange(count) % 2
    return (images,)


def run(tower, arguments, names=None, seed=2, **options):
    """Return a tower's outputs, and the gradient of a fixed function of some of them.

    Args:
        tower: The tower, whose gradients are reset.
        arguments: Of its forward.
        names: Features that the function reads. Defaults to all.
        seed: Seed of random numbers within the tower.
        **options: Of its forward.
    """
    torch.manual_seed(seed)
    features = tower(*arguments, **options)
    if not isinstance(features, dict):
        features = {'out': features}
    features = {n: f for n, f in features.items() if f.is_floating_point()}
    tower.zero_grad()
    generator = torch.Generator().manual_seed(3)
    total = 0
    for name in sorted(names or features):
        weights = torch.randn(features[name].shape, generator=generator)
        total = total + (features[name] * weights.to(features[name])).sum()
    total.backward()
    gradients = {n: p.grad for n, p in tower.named_parameters()}
    return features, gradients


def assert_equal(ours, expected, atol=1e-10, names=None):
    """Compare what :func:`run` returned: features and gradients of all parameters."""
    for name in names or expected[0]:
        torch.testing.assert_close(
            ours[0][name], expected[0][name], rtol=0, atol=atol, msg=name
        )
    for name, gradient in expected[1].items():
        if gradient is None:
            assert ours[1][name] is None, name
        else:
            torch.testing.assert_close(
                ours[1][name], gradient, rtol=0, atol=atol, msg=name
            )
