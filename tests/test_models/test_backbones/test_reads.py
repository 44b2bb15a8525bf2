"""What isn't read isn't computed, and nothing else changes: float64, all gradients."""

import pytest
import torch

from .nano_towers import assert_equal, build, inputs_of, run

SEQUENCES = {'image_tokens', 'image_hidden', 'text_tokens', 'text_hidden'}
CASES = [
    ('clip', ('v',)),
    ('clip', ('v', 'v_post', 'v_penultimate')),
    ('routed', ('v', 'u')),
    ('routed', ('u', 'u_post', 'v_penultimate')),
    ('isolated', ('v', 'u')),
    ('transreid', ('v',)),
    ('transreid', ('v', 'part_1', 'part_2')),
    ('transreid', ('v_parts',)),
    ('text', ('t',)),
    ('clip-resnet', ('v', 'v_post')),
    ('clip-resnet', ('v_post', 'v_penultimate')),
]


@pytest.mark.parametrize(('name', 'reads'), CASES)
def test_features_and_gradients_are_those_of_the_whole_tower(name, reads):
    tower, arguments = build(name), inputs_of(name)
    tower.train()
    whole = run(tower, arguments, reads)
    part = run(tower, arguments, reads, reads=reads)
    assert not SEQUENCES & set(part[0])
    assert_equal(part, whole, names=reads)


@pytest.mark.parametrize(
    ('name', 'sequence'),
    [
        ('clip', 'image_tokens'),
        ('routed', 'image_hidden'),
        ('transreid', 'image_tokens'),
        ('text', 'text_tokens'),
        ('clip-resnet', 'image_tokens'),
    ],
)
def test_a_sequence_that_is_read_is_there(name, sequence):
    tower, arguments = build(name), inputs_of(name)
    whole = run(tower, arguments, [sequence])
    part = run(tower, arguments, [sequence], reads=(sequence,))
    assert_equal(part, whole, names=[sequence])


@pytest.mark.parametrize('name', ['clip', 'routed', 'isolated'])
@pytest.mark.parametrize('rows', [[2, 0], [0, 1, 2, 3], []])
def test_sequences_of_some_images(name, rows):
    tower, arguments = build(name), inputs_of(name)
    rows = torch.tensor(rows, dtype=torch.int64)
    reads = ('v', f'{tower.class_names[-1]}_post', 'image_tokens', 'image_hidden')

    def whole(*given):
        features = tower(*given)
        for sequence in ('image_tokens', 'image_hidden'):
            features[sequence] = features[sequence][rows]
        return features

    whole.zero_grad, whole.named_parameters = tower.zero_grad, tower.named_parameters
    expected = run(whole, arguments, reads)
    assert_equal(run(tower, arguments, reads, rows=rows), expected)


def count_tokens(tower, layer, arguments, **options):
    """Return how many tokens of a sequence a layer is given."""
    seen = []
    hook = layer.register_forward_hook(lambda m, given, out: seen.append(given[0]))
    tower(*arguments, **options)
    hook.remove()
    return [x.shape[1] for x in seen]


@pytest.mark.parametrize(('name', 'tokens'), [('clip', 1), ('routed', 2)])
def test_the_last_block_runs_for_class_tokens_alone(name, tokens):
    tower, arguments = build(name), inputs_of(name)
    blocks = tower.visual.transformer.resblocks
    whole = 8 + tokens
    for block, reads, count in (
        (blocks[-1], ('v',), tokens),
        (blocks[-1], ('v', 'image_tokens'), whole),
        (blocks[0], ('v',), whole),
    ):
        assert count_tokens(tower, block.ln_2, arguments, reads=reads) == [count]


def test_the_last_block_runs_for_the_end_of_captions_alone():
    tower, arguments = build('text'), inputs_of('text')
    last = tower.last_block
    assert count_tokens(tower, last.ln_2, arguments, reads=('t',)) == [1]
    assert count_tokens(tower, last.ln_2, arguments, reads=('text_tokens',)) == [9]
    prompt = build('prompt')
    assert count_tokens(prompt, prompt.last_block.ln_2, inputs_of('prompt')) == [1]


def test_parts_that_are_not_read_are_not_computed():
    tower, arguments = build('transreid'), inputs_of('transreid')
    block = tower.local_block
    assert count_tokens(tower, block.norm2, arguments, reads=('v',)) == []
    assert count_tokens(tower, block.norm2, arguments, reads=('part_2',)) == [1]
    assert count_tokens(tower, tower.vit.blocks[-1].norm2, arguments, reads=()) == [1]


def test_prompts_are_open_clips_whole_transformer():
    tower = build('prompt')
    prompts, eot = inputs_of('prompt')
    text = tower.text
    x = prompts + text.positional_embedding[:9]
    x = text.transformer(x, attn_mask=text.attn_mask[:9, :9])
    expected = text.ln_final(x[:, eot]) @ text.text_projection
    torch.testing.assert_close(tower(prompts, eot), expected, rtol=0, atol=1e-10)
