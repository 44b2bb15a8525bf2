"""Rows that a step doesn't read keep their values, whatever decays the others."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import nn

import hplreid.engine  # noqa: F401
from hplreid.engine.config import forget_pretrained, read_config
from hplreid.engine.optimizers.row_tables import find_row_tables
from hplreid.registry import MODELS
from tests.test_models.test_reid.tiny import add_nano_arch, build_hpl, make_batch

ADAM = dict(type='Adam', lr=0.01, weight_decay=1e-3)


class Reader(nn.Module):
    """Reads rows of a table."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(6, 3)
        self.linear = nn.Linear(3, 2)

    def forward(self, rows):
        return self.linear(self.table(rows)).square().sum()


def train(model, rows, optimizer=ADAM, **paramwise):
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='hplreid.TrainableOptimConstructor',
            optimizer=optimizer,
            paramwise_cfg=paramwise,
        ),
    )
    for _ in range(5):
        wrapper.update_params(model(rows))
    return wrapper


@pytest.mark.parametrize('name', ['Adam', 'AdamW', 'SGD'])
def test_unread_rows_are_bit_equal(name):
    model = Reader()
    before = model.table.weight.detach().clone()
    train(model, torch.tensor([1, 4]), dict(ADAM, type=name))
    after = model.table.weight.detach()
    assert torch.equal(after[[0, 2, 3, 5]], before[[0, 2, 3, 5]])
    assert (after[[1, 4]] - before[[1, 4]]).abs().min() > 0


def test_decay_of_all_moves_an_unread_row_by_whole_learning_rates():
    """The reason: five steps of Adam move it by five learning rates, not by 1e-3."""
    model = Reader()
    before = model.table.weight.detach().clone()
    train(model, torch.tensor([1, 4]), row_decay_mult=1)
    moved = (before - model.table.weight.detach())[[0, 2, 3, 5]]
    torch.testing.assert_close(
        moved, 5 * 0.01 * before[[0, 2, 3, 5]].sign(), rtol=0.02, atol=0
    )


def test_everything_else_is_decayed_as_before():
    one, other = Reader(), Reader()
    groups = train(one, torch.tensor([0])).optimizer.param_groups
    decays = {len(p.shape): g['weight_decay'] for g in groups for p in g['params']}
    assert decays == {2: 1e-3, 1: 1e-3}  # linear.weight comes after the table
    same = train(other, torch.tensor([0]), row_decay_mult=1).optimizer
    assert {g['weight_decay'] for g in same.param_groups} == {1e-3}


def test_a_key_of_the_config_has_the_last_word():
    keys = {'table': dict(decay_mult=0.5)}
    groups = train(Reader(), torch.tensor([0]), custom_keys=keys).optimizer.param_groups
    assert sorted(g['weight_decay'] for g in groups) == [5e-4, 1e-3]


def test_a_decay_that_the_optimizer_has_by_itself_is_taken_from_tables():
    groups = train(Reader(), torch.tensor([0]), dict(type='AdamW', lr=0.1))
    assert sorted(g['weight_decay'] for g in groups.optimizer.param_groups) == [0, 0.01]


def test_words_and_late_positions_of_hpl(tmp_path):
    add_nano_arch(tmp_path)
    model = build_hpl()
    batch = make_batch()
    table = model.text_encoder.text.token_embedding.weight
    positions = model.text_encoder.text.positional_embedding
    captions = batch['captions']
    unread = torch.ones(len(table), dtype=torch.bool)
    unread[captions.unique()] = False
    longest = captions.shape[1]
    model.enter_stage('align')
    before = [p.detach().clone() for p in (table, positions)]
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper',
            constructor='hplreid.TrainableOptimConstructor',
            optimizer=dict(type='Adam', lr=1e-3, weight_decay=4e-5),
        ),
    )
    for _ in range(3):
        wrapper.update_params(sum(model.loss(batch).values()))
    assert unread.sum() > 10
    assert torch.equal(table[unread], before[0][unread])
    assert not torch.equal(table[~unread], before[0][~unread])
    assert torch.equal(positions[longest:], before[1][longest:])
    assert not torch.equal(positions[:longest], before[1][:longest])


TEXT = {'text.token_embedding.weight', 'text.positional_embedding'}
CAPTIONS = {f'text_encoder.{name}' for name in TEXT}
PROMPTS = {'prompt_encoder.text.positional_embedding'}


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        ('hpl/hpl_tiny_synthpeds', CAPTIONS | PROMPTS | {'prompt_learner.id_tokens'}),
        ('irra/irra_tiny_synthpeds', CAPTIONS),
        ('clip_reid/clip-reid_tiny_synthpeds', PROMPTS | {'prompt_learner.id_tokens'}),
        ('promptsg/promptsg_tiny_synthpeds', PROMPTS),
        (
            'transreid/transreid_tiny_synthpeds',
            {'image_encoder.camera_embedding.weight'},
        ),
        ('bot/bot_tiny_synthpeds', set()),
    ],
)
def test_tables_of_the_methods(config, expected):
    model = read_config(f'configs/{config}.py').model.to_dict()
    forget_pretrained(model)
    built = MODELS.build(dict(model, num_ids=5))
    assert find_row_tables(built) == expected


def test_tables_of_propot():
    model = read_config('configs/propot/propot_tiny_synthpeds.py').model.to_dict()
    forget_pretrained(model)
    names = find_row_tables(MODELS.build(dict(model, num_ids=5)))
    vectors = {n for n in names if '.vectors.' in n}
    assert len(vectors) == 2
    assert names - vectors >= CAPTIONS
