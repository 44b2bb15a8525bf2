"""HPL's Eq. 11 against loops over rows and identities."""

import math

import pytest
import torch

from hplreid.models.losses import PromptIDLoss, prompt_id_loss


@pytest.mark.parametrize('reduce', ['mean', 'sum'])
@pytest.mark.parametrize('eps', [0.0, 0.1])
@pytest.mark.parametrize(
    ('kind', 'tau'), [('cosine', 1.0), ('cosine', 0.02), ('dot', 1)]
)
def test_equals_the_loops(kind, tau, eps, reduce):
    torch.manual_seed(0)
    features = torch.randn(4, 5, dtype=torch.float64)
    table = torch.randn(6, 5, dtype=torch.float64)
    labels = torch.tensor([5, 0, 0, 2])
    expected = 0.0
    for u, label in zip(features.tolist(), labels.tolist(), strict=True):
        logits = []
        for r in table.tolist():
            s = sum(x * y for x, y in zip(u, r, strict=True))
            s /= math.hypot(*u) * math.hypot(*r) if kind == 'cosine' else 1
            logits.append(s / tau)
        normalizer = sum(math.exp(x) for x in logits)
        for k, x in enumerate(logits):
            target = (1 - eps) * (k == label) + eps / len(table)
            expected -= target * math.log(math.exp(x) / normalizer)
    expected /= len(features) if reduce == 'mean' else 1
    options = {'similarity': kind, 'tau': tau, 'reduce': reduce, 'label_smoothing': eps}
    loss = prompt_id_loss(features, table, labels, **options)
    assert loss.item() == pytest.approx(expected)
    loss = PromptIDLoss(**options)(features, table, labels)
    assert loss.item() == pytest.approx(expected)


def test_the_literal_form_cannot_fall_below_its_floor():
    # Cosine 1 with the target and 0 with the 7 others, no temperature.
    table = torch.eye(8, dtype=torch.float64)
    loss = prompt_id_loss(table[:1], table, torch.tensor([0]))
    assert loss.item() == pytest.approx(math.log(math.e + 7) - 1)


@pytest.mark.parametrize(('kind', 'tau'), [('cosine', 0.02), ('dot', 1.0)])
def test_temperature_follows_the_similarity_unless_given(kind, tau):
    assert PromptIDLoss(kind).tau == tau
    assert PromptIDLoss(kind, 0.5).tau == 0.5


def test_gradient():
    torch.manual_seed(1)
    features = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    table = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([4, 1, 1])
    assert torch.autograd.gradcheck(
        lambda u, r: prompt_id_loss(u, r, labels, 'cosine', 0.3, 'sum', 0.1),
        (features, table),
    )
