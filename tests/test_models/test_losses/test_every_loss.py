"""What holds for all losses: finite, exact in precision, orderless, specific errors."""

import pytest
import torch

from hplreid.models import losses
from hplreid.registry import LOSSES

# Every function as f(a, b, labels), a and b (N, 8), labels below 10
LOSS = {
    'sdm': losses.sdm_loss,
    'triplet': lambda a, b, y: losses.triplet_loss(a - b, y),
    'triplet_soft': lambda a, b, y: losses.triplet_loss(a - b, y, None),
    'supcon': lambda a, b, y: sum(losses.supcon_loss(a, b, y, 'cosine', 0.02)),
    'supcon_dot': lambda a, b, y: sum(losses.supcon_loss(a, b, y, 'dot')),
    'eq8': lambda a, b, y: losses.prompt_to_image_loss(a, b, 'cosine', 0.02),
    'eq9': lambda a, b, y: losses.image_to_prompt_loss(a, b, 'cosine', 0.02),
    'raw': lambda a, b, y: losses.paired_distance(a, b),
    'l2norm': lambda a, b, y: losses.paired_distance(a, b, 'l2norm'),
    'cross_entropy': lambda a, b, y: losses.cross_entropy(a * b, y % 8, 0.1),
    'prompt_id': lambda a, b, y: losses.prompt_id_loss(
        a + b, TABLE.to(a.dtype), y, 'cosine', 0.02
    ),
    'prompt_id_sum': lambda a, b, y: losses.prompt_id_loss(
        a + b, TABLE.to(a.dtype), y, 'dot', 1.0, 'sum', 0.1
    ),
    'cmpr': lambda a, b, y: losses.cmpr_loss(a.view(-1, 2, 4), b.view(-1, 2, 4)),
    'cmpr_mean': lambda a, b, y: losses.cmpr_loss(
        a.view(-1, 2, 4), b.view(-1, 2, 4), 'mean'
    ),
    'cmpm': losses.cmpm_loss,
    'cmpc': lambda a, b, y: losses.cmpc_loss(
        a,
        b,
        y,
        TABLE.bfloat16().to(a.dtype),  # alike in every precision
    ),
    'p2i': lambda a, b, y: losses.prototype_contrast_loss(a, b, y),
    'p2i_sum': lambda a, b, y: losses.prototype_contrast_loss(a, b, y, 0.5, 'sum'),
    'tal': losses.tal_loss,
    'tal_sum': lambda a, b, y: losses.tal_loss(a, b, y, 0.2, 0.5, 'sum'),
    'center': lambda a, b, y: losses.center_loss(a, torch.arange(len(a)), b),
    'info_nce': lambda a, b, y: losses.info_nce_loss(a, b, 100.0),
    'info_nce_labels': lambda a, b, y: losses.info_nce_loss(a, b, 100.0, y),
}
TABLE = torch.randn(10, 8, generator=torch.Generator().manual_seed(5)).double()
# All zeros in float16 are left out: the slope of a direction there, 1e12, is beyond it.
BATCHES = [
    (dtype, kind)
    for dtype in (torch.float32, torch.bfloat16, torch.float16)
    for kind in ('random', 'equal rows', 'zeros', 'large')
    if (dtype, kind) != (torch.float16, 'zeros')
]
each_loss = pytest.mark.parametrize('loss', LOSS.values(), ids=LOSS.keys())


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 6, 8, dtype=torch.float64, generator=generator)
    return a, b, torch.tensor([0, 0, 3, 3, 3, 9])


@each_loss
@pytest.mark.parametrize(
    'labels',
    [[4, 4, 4, 4], [0, 1, 2, 3], [0, 0, 0, 1], [6]],
    ids=['one identity', 'K=1', 'unequal', 'one row'],
)
def test_finite_with_a_finite_gradient(loss, labels):
    for dtype, kind in BATCHES:
        torch.manual_seed(1)
        a, b = torch.randn(2, len(labels), 8)
        if kind == 'equal rows':
            a, b = a[:1].repeat(len(labels), 1), a[:1].repeat(len(labels), 1)
        a, b = (x * {'zeros': 0, 'large': 80}.get(kind, 1) for x in (a, b))
        a, b = (x.to(dtype).requires_grad_() for x in (a, b))
        value = loss(a, b, torch.tensor(labels))
        value.backward()
        gradients = [x.grad for x in (a, b) if x.grad is not None]
        assert value.dim() == 0
        assert a.grad is not None
        assert all(x.isfinite().all() for x in (value, *gradients)), (dtype, kind)


@each_loss
def test_half_precision_is_computed_in_float32(loss, batch):
    a, b, labels = batch
    a, b = a.bfloat16(), b.bfloat16()
    value = loss(a, b, labels)
    if loss in (LOSS['triplet'], LOSS['triplet_soft']):
        expected = losses.triplet_loss(
            (a - b).float(), labels, 0.3 if loss is LOSS['triplet'] else None
        )
    elif loss is LOSS['cross_entropy']:
        expected = losses.cross_entropy((a * b).float(), labels % 8, 0.1)
    elif loss in (LOSS['prompt_id'], LOSS['prompt_id_sum']):
        kept = (a + b).float(), TABLE.bfloat16().float(), labels
        options = ('cosine', 0.02), ('dot', 1.0, 'sum', 0.1)
        expected = losses.prompt_id_loss(*kept, *options[loss is LOSS['prompt_id_sum']])
    else:
        expected = loss(a.float(), b.float(), labels)
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)


@each_loss
def test_autocast_changes_nothing(loss, batch):
    a, b, labels = batch[0].float(), batch[1].float(), batch[2]
    expected = loss(a, b, labels)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(loss(a, b, labels), expected)


@each_loss
def test_float64_stays(loss, batch):
    assert loss(*batch).dtype == torch.float64


@each_loss
def test_order_of_rows_does_not_matter(loss, batch):
    order = torch.tensor([3, 5, 0, 4, 2, 1])
    shuffled = [x[order] for x in batch]
    torch.testing.assert_close(loss(*shuffled), loss(*batch), rtol=1e-10, atol=1e-10)


@each_loss
def test_no_rows_is_an_error(loss):
    with pytest.raises(ValueError, match=r'at least one row|not empty'):
        loss(torch.zeros(0, 8), torch.zeros(0, 8), torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize(
    'function',
    [losses.sdm_loss, losses.supcon_loss, losses.cmpm_loss, losses.tal_loss],
    ids=['sdm', 'supcon', 'cmpm', 'tal'],
)
def test_rows_must_be_equally_many(function):
    with pytest.raises(ValueError, match="'image': 3, 'text': 2, 'labels': 3"):
        function(torch.ones(3, 4), torch.ones(2, 4), torch.arange(3))


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        ({'type': 'SDMLoss', 'tau': 0}, 'tau=0:'),
        ({'type': 'SDMLoss', 'tau': '0.02'}, "tau='0.02':"),
        ({'type': 'SDMLoss', 'tau': float('nan')}, 'tau=nan:'),
        ({'type': 'SDMLoss', 'eps': -1e-8}, 'eps=-1e-08:'),
        ({'type': 'CrossEntropyLoss', 'label_smoothing': 1.0}, 'label_smoothing=1.0:'),
        ({'type': 'CrossEntropyLoss', 'reduce': 'none'}, "reduce='none':"),
        ({'type': 'TripletLoss', 'margin': -0.3}, 'margin=-0.3:'),
        ({'type': 'SupConLoss', 'similarity': 'cos'}, "similarity='cos':"),
        ({'type': 'SupConLoss', 'tau': -1}, 'tau=-1:'),
        ({'type': 'PairedDistanceLoss', 'kind': 'l1'}, "kind='l1':"),
        ({'type': 'PromptIDLoss', 'reduce': 'max'}, "reduce='max':"),
        ({'type': 'PromptIDLoss', 'label_smoothing': -0.1}, 'label_smoothing=-0.1:'),
        ({'type': 'PromptIDLoss', 'similarity': 'l2'}, "similarity='l2':"),
        ({'type': 'CMPRLoss', 'reduce': 'frobenius'}, "reduce='frobenius':"),
        ({'type': 'InfoNCELoss', 'targets': 'soft'}, "targets='soft':"),
        ({'type': 'CMPMLoss', 'eps': 0}, 'eps=0:'),
        ({'type': 'PrototypeContrastLoss', 'tau': 0}, 'tau=0:'),
        ({'type': 'PrototypeContrastLoss', 'reduce': 'max'}, "reduce='max':"),
        ({'type': 'TALLoss', 'tau': 0}, 'tau=0:'),
        ({'type': 'TALLoss', 'margin': -1}, 'margin=-1:'),
        ({'type': 'TALLoss', 'reduce': 'max'}, "reduce='max':"),
    ],
)
def test_rejected_arguments_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        LOSSES.build(config)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda a, y: losses.supcon_loss(a, a, y, 'euclid'), "similarity='euclid':"),
        (lambda a, y: losses.cross_entropy(a, y, 0.0, 'none'), "reduce='none':"),
        (lambda a, y: losses.paired_distance(a, a, 'l1'), "kind='l1':"),
        (lambda a, y: losses.cmpr_loss(a, a, 'max'), "reduce='max':"),
        (lambda a, y: losses.tal_loss(a, a, y, 1.0, 1.0, 'max'), "reduce='max':"),
    ],
)
def test_functions_know_no_other_options(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.ones(2, 3), torch.tensor([0, 1]))


def test_every_class_is_registered():
    for name in losses.__all__:
        if name[0].isupper():
            assert LOSSES.get(name) is getattr(losses, name)
