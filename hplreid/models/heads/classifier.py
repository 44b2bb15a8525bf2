"""The linear classifier of identities."""

from torch import nn

from hplreid.utils.argument_checks import check_count


def make_classifier(in_channels: int, num_ids: int, bias: bool) -> nn.Linear:
    """Return a linear layer with weights from N(0, 0.001) and a bias of zero.

    Small weights, as in BoT, CLIP-ReID and IRRA: the first gradients that reach a
    pre-trained tower through it are small as well.

    Raises:
        ValueError: ``in_channels`` or ``num_ids`` isn't an integer above 0.
    """
    check_count('in_channels', in_channels)
    check_count('num_ids', num_ids)
    classifier = nn.Linear(in_channels, num_ids, bias=bias)
    nn.init.normal_(classifier.weight, std=0.001)
    if bias:
        nn.init.zeros_(classifier.bias)
    return classifier
