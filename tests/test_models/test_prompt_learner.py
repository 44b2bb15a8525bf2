"""Templates and identity tokens."""

import pytest
import torch

from hplreid.models.prompt_learners import HierarchicalPromptLearner, PromptTemplate

TABLE = torch.arange(49408, dtype=torch.float64).unsqueeze(1).expand(-1, 2)


def _learner(**kwargs):
    return HierarchicalPromptLearner(num_ids=5, token_table=TABLE, **kwargs)


def test_layout_of_the_hierarchical_prompt():
    learner = _learner(num_id_tokens=2, num_inst_tokens=3)
    pseudo = torch.full((2, 3, 2), -1.0, dtype=torch.float64)
    learner.id_tokens.data = -2 - torch.arange(5.0).reshape(5, 1, 1).expand(5, 2, 2)
    prompts, eot = learner.hierarchical_prompts(torch.tensor([1, 4]), pseudo)
    # SOT a photo of a [id id] and [inst inst inst] person . EOT, in CLIP's numbers
    words = [49406, 320, 1125, 539, 320, None, None, 537, -1, -1, -1, 2533, 269, 49407]
    for row, identity in enumerate((-3.0, -6.0)):
        expected = [identity if w is None else w for w in words]
        assert prompts[row, :, 0].tolist() == expected
    assert eot == len(words) - 1


@pytest.mark.parametrize(('k', 'm'), [(1, 1), (4, 4), (2, 7)])
def test_eot_is_fixed_by_the_numbers_of_tokens(k, m):
    learner = _learner(num_id_tokens=k, num_inst_tokens=m)
    _, eot = learner.hierarchical_prompts(
        torch.tensor([0]), torch.zeros(1, m, 2, dtype=torch.float64)
    )
    assert eot == 8 + k + m
    assert learner.identity_prompts(torch.tensor([0]))[1] == 7 + k


def test_shared_tokens_are_the_same_for_all():
    learner = _learner(id_scope='shared')
    assert learner.id_tokens.shape == (1, 4, 2)
    prompts, _ = learner.identity_prompts(torch.tensor([0, 3]))
    torch.testing.assert_close(prompts[0], prompts[1])


def test_words_are_not_moved_by_training_of_the_table():
    table = torch.nn.Parameter(TABLE.clone())
    template = PromptTemplate('A {id}.', {'id': 1}, table)
    before = template(id=torch.zeros(1, 1, 2))
    table.data += 1
    torch.testing.assert_close(template(id=torch.zeros(1, 1, 2)), before)
    assert 'words_0' in template.state_dict()


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(id_scope='all'), "id_scope='all': expected"),
        (dict(template='A {id} person.'), "has the slots .'id'.; expected"),
        (dict(template='A {id} {inst} {id}.'), 'each once'),
        (dict(num_inst_tokens=80), 'makes 93 tokens; the prompt encoder takes 77'),
    ],
)
def test_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        _learner(**kwargs)
