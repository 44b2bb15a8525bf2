"""Small models for the tests of explanations, and slow formulas beside the fast."""

import math

import torch
from mmengine.registry import DefaultScope

from hplreid.engine.config import inference_config
from hplreid.engine.measurement.methods import METHODS
from hplreid.registry import MODELS
from tests.test_models.test_reid.tiny import ARCH


def build(config, seed=0):
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(seed)
    return MODELS.build(config).double().eval()


def build_dual(tower='TaskRoutedTransformer', **options):
    """Two towers of two blocks each, in float64, with weights that aren't tiny."""
    model = build(
        dict(
            type='DualEncoder',
            image_encoder=dict(type=tower, arch=ARCH, img_size=(32, 16), **options),
            text_encoder=dict(type='CLIPTextEncoder'),
        )
    )
    return stir(model)


def build_prompted(variant, num_blocks=2):
    neck = dict(
        type='InteractionNeck',
        reads=('prompt', 'image_tokens'),
        width=16,
        num_heads=2,
        num_blocks=num_blocks,
        variant=variant,
    )
    model = dict(
        type='PromptSG',
        image_encoder=dict(type='CLIPImageEncoder', arch=ARCH, img_size=(32, 16)),
        prompt_encoder=dict(type='CLIPPromptEncoder'),
        inversion=dict(type='MLPInversion', num_tokens=1, hidden_channels=16),
        prompt_learner=dict(
            type='InstancePromptLearner',
            template='A photo of a {inst} person.',
            constant='A photo of a person.',
        ),
        necks=dict(interaction=neck),
        i2i_feature='interaction',
    )
    return stir(build(model))


def stir(model, seed=3):
    """Give attention something to choose: queries and keys of some size."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if 'in_proj_weight' in name or 'qkv.weight' in name:
            noise = torch.randn(parameter.shape, generator=generator).to(parameter)
            parameter.data.copy_(0.4 * noise)
    return model


def make_inputs(count=2, size=(32, 16), dtype=torch.float64, seed=1):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 3, *size, generator=generator, dtype=torch.float64)
    return dict(images=images.to(dtype), camids=torch.arange(count) % 2)


def build_tiny(name):
    """A method's tiny config with random weights, in fp32."""
    config = inference_config(METHODS[name].read(small=True))
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(0)
    return MODELS.build(config.model.to_dict()).eval()


class SlowAttention:
    """One multi-head attention by loops over heads and tokens."""

    def __init__(self, module, x, allowed):
        self.module, self.x, self.allowed = module, x, allowed

    def probs(self):
        """Softmax of scaled products, ``(heads, L, L)``, an entry at a time."""
        heads, width = self.module.num_heads, self.x.shape[1]
        size, (q, k, _) = width // heads, self.project()
        rows = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            for i in range(len(self.x)):
                scores = []
                for j in range(len(self.x)):
                    score = sum(
                        a * b for a, b in zip(q[i, part], k[j, part], strict=True)
                    )
                    scores.append(torch.exp(score / math.sqrt(size)))
                    if not self.allowed(i, j):
                        scores[-1] = scores[-1] * 0
                total = sum(scores)
                rows.append(torch.stack([s / total for s in scores]))
        return torch.stack(rows).reshape(heads, len(self.x), len(self.x))

    def project(self):
        weight, bias = self.module.in_proj_weight, self.module.in_proj_bias
        return (self.x @ weight.T + bias).chunk(3, dim=1)

    def read(self, probs):
        """What tokens read of each other by ``probs``, after the output projection."""
        heads, width = self.module.num_heads, self.x.shape[1]
        size, (_, _, v) = width // heads, self.project()
        outputs = []
        for i in range(len(self.x)):
            parts = []
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                parts.append(
                    sum(probs[head, i, j] * v[j, part] for j in range(len(self.x)))
                )
            outputs.append(torch.cat(parts))
        return self.module.out_proj(torch.stack(outputs))


def slow_tower(blocks, x, allowed=lambda i, j: True):
    """Run all tokens through all blocks; return outputs and every block's attention."""
    kept = []
    for block in blocks:
        attention = SlowAttention(block.attn, block.ln_1(x), allowed)
        probs = attention.probs()
        kept.append(probs)
        x = x + attention.read(probs)
        x = x + block.mlp(block.ln_2(x))
    return x, kept


def slow_relevance(kept, score):
    """Eq. 5 and 6 of Chefer et al., whole matrices, an entry at a time."""
    gradients = torch.autograd.grad(score, kept, retain_graph=True)
    kept = [probs.detach() for probs in kept]
    length = kept[0].shape[1]
    relevance = torch.eye(length, dtype=torch.float64)
    for probs, gradient in zip(kept, gradients, strict=True):
        mean = torch.zeros(length, length, dtype=torch.float64)
        for i in range(length):
            for j in range(length):
                for head in range(len(probs)):
                    raised = float(gradient[head, i, j] * probs[head, i, j])
                    mean[i, j] += max(raised, 0.0) / len(probs)
        added = torch.zeros_like(mean)
        for i in range(length):
            for j in range(length):
                added[i, j] = sum(mean[i, k] * relevance[k, j] for k in range(length))
        relevance = relevance + added
    return relevance
