"""Assemble a method's necks and heads, and check that what they read fits."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from torch import nn

from hplreid.registry import HEADS, NECKS
from hplreid.structures.feature_form import FeatureForm

from ..heads import BaseHead
from ..necks.base_neck import names_read
from ..necks.neck_form import check_neck
from ..part import PartError, build_part, find_part

Forms = Mapping[str, FeatureForm]
"""The forms of what is on offer, by name."""


def order_necks(necks: Mapping[str, Mapping[str, Any]] | None) -> dict[str, dict]:
    """Return configs of necks so that each stands behind those whose features it reads.

    The order in a config doesn't matter: in a checkpoint it is that of the alphabet.

    Example:
        >>> list(order_necks(dict(bn=dict(reads='pool'), pool=dict(reads='map'))))
        ['pool', 'bn']
    """
    given = {name: dict(config) for name, config in (necks or {}).items()}
    ordered: dict[str, dict] = {}
    while len(ordered) < len(given):
        left = [name for name in given if name not in ordered]
        ready = [n for n in left if not {*names_read(given[n])} & {*left}]
        if not ready:  # a circle, which building the first of them explains
            ready = left
        ordered[ready[0]] = given[ready[0]]
    return ordered


def build_neck(
    config: Mapping[str, Any], name: str, reads: Sequence[str], offered: Forms
) -> nn.Module:
    """Build the neck that makes the feature ``name``.

    Args:
        config: Its config, with ``reads``.
        name: The name of what it makes.
        reads: What it is given.
        offered: What there is before it.

    Raises:
        PartError: It can't be built, or what it reads doesn't fit.

    Example:
        >>> from hplreid.structures.feature_form import FeatureForm
        >>> offered = dict(v=FeatureForm('vector', 8))
        >>> build_neck(dict(type='BNNeck', reads='v'), 'v_bn', ['v'], offered).bn
        BatchNorm1d(8, ...)
    """
    place = f'necks.{name}'
    cls = find_part(NECKS, config, place)
    if not reads:
        raise PartError(f"Neck '{name}' reads nothing: give it `reads`, a name.")
    if name in offered:
        raise PartError(f"Neck '{name}' has the name of another feature.")
    if '.' in name or hasattr(nn.ModuleDict, name):
        raise PartError(f"necks: a neck can't be called '{name}'.")
    unknown = [read for read in reads if read not in offered]
    if unknown:
        raise PartError(
            f"Neck '{name}' reads {unknown}. The method offers before it: "
            f'{", ".join(sorted(offered))}.'
        )
    own = {key: value for key, value in config.items() if key != 'reads'}
    width = offered[reads[0]].width
    check_width(f'{place}.in_channels', own.get('in_channels'), reads[0], width)
    check_neck(cls, place, reads, offered)
    return build_part(NECKS, own, place, _known(width))


def build_head(
    config: Mapping[str, Any],
    place: str,
    method: str,
    num_ids: int | None,
    offered: Forms,
) -> BaseHead:
    """Build a head, telling it the number of identities and its feature's width.

    Args:
        config: Its config.
        place: Its stage and number, ``'heads.align.0'`` say.
        method: The method's name, for messages.
        num_ids: Training identities.
        offered: What its stage can be given.

    Raises:
        PartError: It can't be built, or what it reads isn't there or doesn't fit.

    Example:
        >>> from hplreid.structures.feature_form import FeatureForm
        >>> offered, config = dict(v=FeatureForm('vector', 8)), dict(type='IDHead')
        >>> build_head({**config, 'feature': 'v'}, 'heads.align.0', 'HPL', 4, offered)
        IDHead(...Linear(in_features=8, out_features=4, bias=False)...)
    """
    cls = find_part(HEADS, config, place)
    if not (isinstance(cls, type) and issubclass(cls, BaseHead)):
        raise PartError(
            f'{place}: {config["type"]} is no head of this code base: expected a '
            'BaseHead, which says what it reads.'
        )
    stage = place.split('.')[1]
    arguments = inspect.signature(cls).parameters
    known: dict[str, Any] = {'num_ids': num_ids}
    if 'in_channels' in arguments:
        key = 'feature' if 'feature' in arguments else 'image'
        name = config.get(key, arguments[key].default)
        _check_offers(cls.__name__, stage, method, [name], offered)
        width = offered[name].width
        check_width(f'{place}.in_channels', config.get('in_channels'), name, width)
        known |= _known(width)
    own = {k: v for k, v in known.items() if k in arguments}
    head = cast(BaseHead, build_part(HEADS, config, place, own))
    _check_offers(cls.__name__, stage, method, head.reads, offered)
    for problem in head.find_form_problems(offered):
        raise PartError(f'{place}: {cls.__name__} {problem}')
    return head


def check_width(place: str, given: Any, name: str, width: int | None) -> None:  # noqa: ANN401
    """Check that a width in a config is that of the feature.

    Raises:
        PartError: It is another.

    Example:
        >>> check_width('necks.n.in_channels', 768, 'v', 512)
        Traceback (most recent call last):
        ...
        hplreid.models.part.PartError: necks.n.in_channels=768, but 'v' has 512 ...
    """
    if given is not None and width is not None and given != width:
        raise PartError(
            f"{place}={given!r}, but '{name}' has {width} channels. Leave it out: "
            'widths are found out.'
        )


def _known(width: int | None) -> dict[str, int]:
    return {} if width is None else {'in_channels': width}


def _check_offers(
    head: str, stage: str, method: str, names: Collection[str], offered: Forms
) -> None:
    for name in names:
        if name not in offered:
            raise PartError(
                f"{head} of stage '{stage}' reads '{name}'. {method} offers there: "
                f'{", ".join(sorted(offered))}.'
            )
