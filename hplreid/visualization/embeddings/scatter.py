"""A map of features as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..figures import COLORS, MARKERS, FigureError, new_figure
from .embedded_items import EmbeddedItems

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LISTED = 24  # groups that a legend can name


def draw_embedding(
    items: EmbeddedItems,
    places: np.ndarray,
    coloring: str = 'identity',
    title: str = '',
) -> Figure:
    """Draw items at their places; captions are hollow.

    Groups differ in color and in marker: 64 can be told apart, also in gray by the
    marker.

    Args:
        items: The items, ``N`` of them.
        places: ``(N, 2)``, see :func:`.project`.
        coloring: ``'identity'``, ``'camera'`` or ``'modality'``.
        title: Line above.

    Raises:
        FigureError: Places are of other items, or all are of one group.

    Example:
        >>> from hplreid.evaluation import FeatureSet
        >>> from hplreid.visualization import choose_items
        >>> pids = np.array([1, 2])
        >>> items = choose_items(FeatureSet(np.eye(2), np.eye(2), pids, pids))
        >>> figure = draw_embedding(items, np.zeros((4, 2)))
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['id 1', 'id 2']
    """
    groups = np.array(items.groups(coloring))
    if places.shape != (len(groups), 2):
        raise FigureError(
            f'places must be ({len(groups)}, 2), one for each item; got {places.shape}.'
        )
    figure = new_figure(7.2, 5.2, title)
    panel = figure.subplots()
    # By number: 'id 9' before 'id 10'
    names = sorted(set(groups.tolist()), key=lambda name: (len(name), name))
    of_images = set(groups[~items.captions].tolist())
    for number, name in enumerate(names):
        color = COLORS[number % len(COLORS)]
        marker = MARKERS[(number + number // len(COLORS)) % len(MARKERS)]
        for caption in (False, True):
            chosen = (groups == name) & (items.captions == caption)
            if chosen.any():
                panel.scatter(
                    places[chosen, 0],
                    places[chosen, 1],
                    26,
                    marker=marker,
                    facecolors='none' if caption else color,
                    edgecolors=color,
                    linewidths=1.0,
                    label=None if caption and name in of_images else name,
                )
    panel.set(xticks=[], yticks=[])
    if len(names) <= _LISTED:
        figure.legend(loc='outside right upper', fontsize='small')
    if items.captions.any() and not items.captions.all():
        panel.set_xlabel('filled: images, hollow: captions')
    return figure
