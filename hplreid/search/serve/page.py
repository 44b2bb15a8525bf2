"""The page: what is seen and pressed. Text is shown as text, whatever is in it."""

import asyncio
import base64
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import HTTPException, Response
from nicegui import app, events, ui
from PIL import Image

from hplreid.apis.inputs import ImageSource
from hplreid.utils.user_error import UserError

from ..filters import Filters, parse_time
from .answer import Answer, draw_image, image_address
from .asked import Asked
from .desk import SearchDesk, encode_jpeg
from .look import CSS
from .uploads import MOST_BYTES, decode_upload

_TOPK = (12, 24, 48, 96)
_LOG = logging.getLogger(__name__)


def register_page(desk: SearchDesk) -> None:
    """Answer at ``/`` with the page, and at ``/image`` with images of the gallery."""

    @app.get('/image')
    def image(id: str) -> Response:  # noqa: A002, the name in the address
        try:
            data = desk.image(id)
        except (UserError, OSError) as error:
            _LOG.warning('Image of item %r: %s', id, error)
            raise HTTPException(404, 'The gallery has no such image.') from None
        return Response(data, media_type='image/jpeg')

    @ui.page('/')
    def page() -> None:
        SearchPage(desk)


class SearchPage:
    """The page of one visitor.

    Args:
        desk: What answers it.
    """

    def __init__(self, desk: SearchDesk) -> None:
        self.desk, self.asked = desk, Asked()
        ui.add_css(CSS)
        with ui.element('header').classes('top'):
            with ui.element('h1'):
                ui.label('Person search')
            ui.label(f'{desk.title}. Model: {desk.model}.').classes('about')
        with ui.element('main').classes('body'):
            with ui.element('section').classes('ask'):
                self._draw_question()
            with ui.element('section').classes('answer') as self._answer_place:
                self._wrong = ui.label().classes('wrong')
                self._wrong.props['role'] = 'alert'
                self._wrong.set_visibility(False)
                self._answer = Answer(desk, self._mark, self._in_words)

    def _draw_question(self) -> None:
        self._words = ui.input('Words', placeholder='a woman in a red dress')
        self._words.props('outlined clearable autofocus')
        self._words.on('keydown.enter', self._search)
        self._words.on_value_change(self._show_weight)
        self._words.set_visibility(self.desk.reads_words)
        self._upload = (
            ui.upload(
                label='Drop images of the person here',
                multiple=True,
                auto_upload=True,
                max_file_size=MOST_BYTES,
                on_upload=self._add_upload,
                on_rejected=lambda: self._say(
                    'A file was refused: expected images of at most '
                    f'{MOST_BYTES >> 20} MB.'
                ),
            )
            .classes('drop')
            .props('flat accept=image/*')
        )
        # In the browser, which opens its dialog for a key or a click alone
        pick = f'() => getElement({self._upload.id}).pickFiles()'
        choose = ui.button('Choose images', icon='add_photo_alternate')
        choose.props('outline no-caps').on('click', js_handler=pick)
        self._shown = ui.element('div').classes('shown')
        self._weight_place = ui.element('div')
        with self._weight_place:
            self._weight_said = ui.label()
            self._weight = ui.slider(min=0, max=1, step=0.05, value=0.5)
            self._weight.props['aria-label'] = 'Weight of the words beside the images'
            self._weight.on_value_change(self._show_weight)
        self._draw_filters()
        with ui.element('div').classes('line'):
            search = ui.button('Search', icon='search', on_click=self._search)
            search.props('no-caps unelevated')
            clear = ui.button('Start over', on_click=self._clear)
            clear.props('flat no-caps')
        self._show_weight()

    def _draw_filters(self) -> None:
        with ui.expansion('Filters and number of hits', icon='tune').classes('filters'):
            self._cameras = _select('Cameras', self.desk.cameras)
            self._sources = _select('Sources', self.desk.sources)
            self._since = ui.input('Not before', placeholder='2026-05-01 08:00, or 75')
            self._until = ui.input('Not after', placeholder='a date (UTC), or seconds')
            for field in (self._since, self._until):
                field.props('outlined dense clearable')
                field.on('keydown.enter', self._search)
            self._topk = ui.select(list(_TOPK), value=24, label='Hits')
            self._topk.props('outlined dense')

    def _show_weight(self) -> None:
        self.asked.words = self._words.value or ''
        self.asked.weight = float(self._weight.value)
        words = round(100 * self.asked.weight)
        self._weight_said.text = f'Images {100 - words} %, words {words} %'
        self._weight_place.set_visibility(self.asked.has_both())

    async def _add_upload(self, event: events.UploadEventArguments) -> None:
        with self._in_words():
            data = await event.file.read()
            image = await asyncio.to_thread(decode_upload, event.file.name, data)
            self.asked.add_image(image)
            self._say('')
        self._upload.reset()
        self._show_query()

    def _show_query(self) -> None:
        """Show images and marked items of the query, each with a button to remove."""
        self._shown.clear()
        with self._shown:
            for image in self.asked.images:
                self._draw_shown(
                    _as_address(image), 'query', image.name, self._remove_image(image)
                )
            marked = [(i, 'like') for i in self.asked.like]
            marked += [(i, 'unlike') for i in self.asked.unlike]
            for id_, kind in marked:
                self._draw_shown(image_address(id_), kind, id_, self._unmark(id_))
        self._show_weight()

    def _draw_shown(
        self, address: str, kind: str, name: str, remove: Callable[[], object]
    ) -> None:
        said = {'query': 'image', 'like': 'like this', 'unlike': 'not like this'}[kind]
        with ui.element('figure').classes(kind):
            draw_image(address, f'{said}: {name}')
            ui.label(said)
            button = ui.button(icon='close', on_click=remove).props('flat dense round')
            button.props['aria-label'] = f'Remove {said}'

    def _remove_image(self, image: ImageSource) -> Callable[[], None]:
        def remove() -> None:
            self.asked.images = [i for i in self.asked.images if i is not image]
            self._show_query()

        return remove

    def _unmark(self, id_: str) -> Callable[[], None]:
        def remove() -> None:
            self.asked.unmark(id_)
            self._show_query()

        return remove

    async def _mark(self, id_: str, like: bool) -> None:
        self.asked.mark(id_, like=like)
        self._show_query()
        await self._search()

    async def _search(self) -> None:
        with self._in_words():
            self._show_weight()
            query = self.asked.query()
            found = await asyncio.to_thread(
                self.desk.search, query, int(self._topk.value), self._filters()
            )
            self._say('')
            self._answer.show(found, self.desk.calibration(query))

    def _filters(self) -> Filters:
        start, end = (
            parse_time(field.value) if (field.value or '').strip() else None
            for field in (self._since, self._until)
        )
        return Filters(
            tuple(self._cameras.value), tuple(self._sources.value), start, end
        )

    def _clear(self) -> None:
        self.asked = Asked()
        self._words.value, self._weight.value = '', 0.5
        self._cameras.value, self._sources.value = [], []
        self._since.value = self._until.value = ''
        self._say('')
        self._answer.clear()
        self._show_query()

    def _say(self, text: str) -> None:
        """Say what is wrong; nothing if all is well."""
        self._wrong.text = text
        self._wrong.set_visibility(bool(text))

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say errors on the page instead of raising them."""
        try:
            yield
        except UserError as error:
            self._say(str(error))
        except Exception:
            _LOG.exception('A bug in hplreid, or in a library')
            self._say(
                'Something went wrong in the program. The terminal that it was started '
                'in says what.'
            )


def _select(label: str, counts: dict[str, int]) -> Any:  # noqa: ANN401
    options = {name: f'{name} ({count})' for name, count in counts.items()}
    select = ui.select(options, label=label, multiple=True, value=[])
    select.props('outlined dense use-chips clearable')
    select.set_visibility(bool(options))
    return select


def _as_address(image: ImageSource) -> str:
    pixels = image.decode().permute(1, 2, 0).contiguous().numpy()
    data = encode_jpeg(Image.fromarray(pixels))
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'
