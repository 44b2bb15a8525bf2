"""Identities that a model takes for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.files import name_items
from hplreid.evaluation.inspection import Confusion

from ..figures import FigureError
from ..item_cells import GAP, LABEL, cell_size, describe, draw_item, new_sheet, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PER_ROW = 3
_HEAD = 0.3


def draw_confusions(
    features: FeatureSet, confusions: Sequence[Confusion], num: int = 9
) -> Figure:
    """Draw pairs of identities: a query, what is found for it, and its nearest match.

    Args:
        features: Features with names, of which the confusions are.
        confusions: See :func:`.find_confusions`.
        num: How many to draw.

    Raises:
        FigureError: There are none.
        UnnamedItemsError: The features have no names.
        FileNotFoundError: An image is missing.

    Example:
        >>> import numpy as np
        >>> from hplreid.evaluation.inspection import find_confusions
        >>> pids, names = np.array([1, 2]), np.array(['a red coat', 'a blue coat'])
        >>> items = dict(query_names=names, gallery_names=names)
        >>> features = FeatureSet(np.eye(2)[[0, 0]], np.eye(2), pids, pids, **items)
        >>> figure = draw_confusions(features, find_confusions(features))
        >>> figure.axes[0].texts[0].get_text()
        '1 of 1 query of id 2: id 1 is nearer'
    """
    if not confusions:
        raise FigureError('No query is nearer to another identity than to its own.')
    query, gallery = name_items(features)
    shown = confusions[:num]
    widths = [
        cell_size(query[shown[0].query])[0],
        *[cell_size(gallery[shown[0].rival])[0]] * 2,
    ]
    cell = sum(widths) + 2 * GAP + 4 * GAP
    height = _HEAD + cell_size(query[shown[0].query])[1] + LABEL + 2 * GAP
    columns = min(_PER_ROW, len(shown))
    figure, axes = new_sheet(
        columns * cell, -(-len(shown) // columns) * height, 'Confused identities'
    )
    for number, confusion in enumerate(shown):
        x = (number % columns) * cell
        y = (number // columns) * height
        write(axes, (x, y), _head(confusion), weight='bold')
        for (mark, what, item), width in zip(
            (
                ('query', 'query', query[confusion.query]),
                ('mismatch', 'nearest', gallery[confusion.rival]),
                ('match', 'nearest match', gallery[confusion.match]),
            ),
            widths,
            strict=True,
        ):
            draw_item(axes, item, (x, y + _HEAD), mark)
            below = y + _HEAD + cell_size(item)[1]
            write(axes, (x, below), f'{what}\n{describe(item)}')
            x += width + GAP
    return figure


def _head(confusion: Confusion) -> str:
    noun = 'query' if confusion.total == 1 else 'queries'
    return (
        f'{confusion.count} of {confusion.total} {noun} of id {confusion.pid}: '
        f'id {confusion.other} is nearer'
    )
