"""The answer on the page: hits, the threshold, and files to take away."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from urllib.parse import quote

from nicegui import ui

from ..calibration import Calibration
from ..filters import show_camera, show_time
from ..hits import Found, Hit
from .desk import SearchDesk

Mark = Callable[[str, bool], Awaitable[None]]


class Answer:
    """The hits of a search.

    Args:
        desk: For files.
        mark: Called with the id of an item, and whether it shows the person.
        in_words: Says errors on the page.
    """

    def __init__(
        self,
        desk: SearchDesk,
        mark: Mark,
        in_words: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._desk, self._mark, self._in_words = desk, mark, in_words
        self._found: Found | None = None
        self._calibration: Calibration | None = None
        self._cards: list[ui.element] = []
        self._summary = ui.label('Search by words, by images of a person, or by both.')
        self._summary.props['role'] = 'status'
        with ui.element('div').classes('line') as self._tools:
            self._slider = ui.slider(min=-1, max=1, step=0.01, value=-1)
            self._slider.classes('slider').props['aria-label'] = (
                'Threshold of the score'
            )
            self._slider.on_value_change(self._show_threshold)
            self._said = ui.label().classes('threshold')
            for suffix in ('csv', 'json'):
                button = ui.button(
                    suffix.upper(),
                    icon='download',
                    on_click=partial(self._export, suffix),
                )
                button.props('outline dense no-caps')
                button.props['aria-label'] = f'Export as {suffix.upper()}'
        self._hits = ui.element('div').classes('hits')
        self._tools.set_visibility(False)

    def clear(self) -> None:
        """Show nothing."""
        self._found, self._cards = None, []
        self._hits.clear()
        self._tools.set_visibility(False)
        self._summary.text = 'Search by words, by images of a person, or by both.'

    def show(self, found: Found, calibration: Calibration | None) -> None:
        """Show hits.

        Args:
            found: The hits.
            calibration: Thresholds for such a query; None where they don't apply.
        """
        self._found, self._calibration = found, calibration
        self._summary.text = f'{found.searched} items searched'
        if not found.hits:
            self._summary.text = 'Nothing is found: the filters let no item through.'
        self._hits.clear()
        with self._hits:
            self._cards = [self._draw(n, h) for n, h in enumerate(found.hits, 1)]
        self._tools.set_visibility(bool(found.hits))
        self._set_slider(found)

    def _set_slider(self, found: Found) -> None:
        if not found.hits:
            return
        known = () if self._calibration is None else self._calibration.points
        scores = [hit.score for hit in found.hits]
        thresholds = [threshold for _, threshold in known]
        low = math.floor(100 * min(scores + thresholds)) / 100 - 0.01
        best = math.floor(100 * max(scores)) / 100  # which the first hit reaches
        high = max([best, *(math.ceil(100 * t) / 100 for t in thresholds)])
        self._slider.props.update(min=round(low, 2), max=round(high, 2))
        self._slider.value = round(low, 2)  # what is found is seen
        self._show_threshold()

    def _show_threshold(self) -> None:
        if self._found is None:
            return
        threshold, reached = round(self._slider.value, 2), 0
        for card, hit in zip(self._cards, self._found.hits, strict=True):
            match = hit.score >= threshold
            reached += match
            card.classes(
                add='reached' if match else 'below',
                remove='below' if match else 'reached',
            )
        self._said.text = (
            f'{reached} of {len(self._cards)} hits reach {threshold:.2f}: '
            f'{describe_rate(self._calibration, threshold)}'
        )

    def _draw(self, rank: int, hit: Hit) -> ui.element:
        item = hit.item
        with ui.element('article').classes('hit') as card:
            card.props['aria-label'] = f'Hit {rank}'
            card.props['data-id'] = item.id
            draw_image(image_address(item.id), f'Hit {rank}: {item.id}')
            with ui.element('div').classes('said'):
                ui.label(f'{rank}. {hit.score:.3f}').classes('score')
                if item.camera is not None:
                    ui.label(show_camera(item.camera))
                if item.source is not None:
                    ui.label(item.source)
                if item.time is not None:
                    ui.label(show_time(item.time))
            for like, text, icon in (
                (True, 'More like this', 'thumb_up'),
                (False, 'Not like this', 'thumb_down'),
            ):
                button = ui.button(
                    text, icon=icon, on_click=partial(self._mark, item.id, like)
                )
                button.props('flat dense no-caps align=left')
                button.props['aria-label'] = f'{text}: hit {rank}'
        return card

    async def _export(self, suffix: str) -> None:
        with self._in_words():
            assert self._found is not None
            threshold = round(self._slider.value, 2)
            known = self._calibration
            far = None if known is None else known.rate(threshold)
            data = await asyncio.to_thread(
                self._desk.export, self._found, f'.{suffix}', threshold, far
            )
            ui.download.content(data, f'found.{suffix}')


def describe_rate(calibration: Calibration | None, threshold: float) -> str:
    """Return what is known of the false-accept rate of a threshold.

    Example:
        >>> known = Calibration(((1e-3, 0.8), (1e-2, 0.6)), 'thresholds.json')
        >>> describe_rate(known, 0.7)
        'false-accept rate at most 1 % (thresholds.json)'
        >>> describe_rate(known, 0.5)
        'false-accept rate above 1 % (thresholds.json)'
        >>> describe_rate(None, 0.5)
        'no false-accept rate is known for such a query'
    """
    if calibration is None:
        return 'no false-accept rate is known for such a query'
    rate = calibration.rate(threshold)
    loosest = max(far for far, _ in calibration.points)
    text = f'above {100 * loosest:g} %' if rate is None else f'at most {100 * rate:g} %'
    return f'false-accept rate {text} ({calibration.source})'


def image_address(id_: str) -> str:
    """Return where the server has the image of an item.

    Example:
        >>> image_address('a/"b".jpg')
        '/image?id=a%2F%22b%22.jpg'
    """
    return f'/image?id={quote(id_, safe="")}'


def draw_image(address: str, text: str) -> None:
    """Show an image, or a text where it can't be shown."""
    image = ui.element('img')
    image.props.update(src=address, alt=text, loading='lazy')
