"""Hits as a table, JSON, CSV or a drawing."""

import csv
import json
from pathlib import Path
from typing import Any

from PIL import Image
from prettytable import PrettyTable

from hplreid.apis.inputs import ImageSource
from hplreid.utils.atomic_files import atomic_path, write_json
from hplreid.utils.user_error import UserError
from hplreid.visualization.hit_sheet import HitCell, draw_hits

from .errors import QueryError
from .filters import show_camera, show_time
from .gallery import Gallery
from .hits import Found, Hit
from .query import Query

SUFFIXES = ('.json', '.csv', '.png', '.jpg')
_COLUMNS = ('rank', 'score', 'id', 'path', 'camera', 'time', 'track', 'source')
_VERDICT = ('match', 'far')


def format_found(found: Found) -> str:
    """Return hits as a table, with what the scores mean above it.

    Example:
        >>> from .items import Item
        >>> print(format_found(Found({}, [Hit(Item('a', camera='north'), 0.5)], 9)))
        9 items searched, exactly
        +------+--------+----+--------+
        | rank | score  | id | camera |
        +------+--------+----+--------+
        |  1   | 0.5000 | a  | north  |
        +------+--------+----+--------+
    """
    rows = found.rows()
    columns = [n for n in (*_COLUMNS, *_VERDICT) if any(n in row for row in rows)]
    if all(row.get('path') in (None, row['id']) for row in rows) and 'path' in columns:
        columns.remove('path')
    table = PrettyTable(columns)
    for row in rows:
        table.add_row([_show(name, row.get(name)) for name in columns])
    return f'{describe_found(found)}\n{table}' if rows else describe_found(found)


def describe_found(found: Found) -> str:
    """Return how a search was done, and what its threshold means, in a line.

    Example:
        >>> describe_found(Found({}, [], 9, far=1e-3, threshold=0.71, recall=0.98))
        '9 items searched, approximately (recall 0.980) | match: score of at least ...'
    """
    how = 'exactly'
    if found.recall is not None:
        how = f'approximately (recall {found.recall:.3f})'
    said = f'{found.searched} items searched, {how}'
    if found.threshold is not None:
        said += (
            f' | match: score of at least {found.threshold:.4f}, false-accept rate '
            f'{found.far:g}'
        )
    return said


def write_found(
    found: Found, path: str | Path, gallery: Gallery, query: Query | None = None
) -> None:
    """Write hits to a file, whose ending says how.

    A JSON has ``query``, ``searched``, ``exact``, ``recall``, ``threshold``, ``far``
    and ``hits``; a CSV a row for each hit; an image is drawn.

    Args:
        found: The hits.
        path: ``*.json``, ``*.csv``, ``*.png`` or ``*.jpg``.
        gallery: Whose hits, for the images of a drawing.
        query: What was searched for, for a drawing.

    Raises:
        QueryError: The ending is another.
        WriteError: It can't be written.

    Example:
        >>> from .items import Item
        >>> found = Found({'like': ['b']}, [Hit(Item('a', camera='north'), 0.5)], 9)
        >>> write_found(found, 'found.csv', None)
        >>> print(Path('found.csv').read_text(), end='')
        rank,score,id,path,camera,time,track,source,box,meta
        1,0.5,a,,north,,,,,
    """
    path = Path(path)
    suffix = check_suffix(path)
    if suffix == '.json':
        write_json(path, to_json(found))
    elif suffix == '.csv':
        write_csv(found, path)
    else:
        with atomic_path(path) as temporary:
            image = draw_found(found, gallery, query)
            image.save(temporary, 'PNG' if suffix == '.png' else 'JPEG')


def check_suffix(path: Path) -> str:
    """Return the ending of a file for hits.

    Raises:
        QueryError: Hits aren't written that way.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise QueryError(
            f"'{path}': expected a name that ends in {', '.join(SUFFIXES)}."
        )
    return suffix


def to_json(found: Found) -> dict[str, Any]:
    """Return hits, and how they were searched, in values that JSON can hold."""
    return dict(
        query=found.query,
        searched=found.searched,
        exact=found.recall is None,
        recall=found.recall,
        threshold=found.threshold,
        far=found.far,
        hits=found.rows(),
    )


def write_csv(found: Found, path: Path) -> None:
    """Write a row for each hit; a box and what else is known as JSON."""
    verdict = _VERDICT if found.threshold is not None else ()
    columns = (*_COLUMNS, 'box', 'meta', *verdict)
    with (
        atomic_path(path) as temporary,
        temporary.open('w', encoding='utf-8', newline='') as file,
    ):
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(columns)
        for row in found.rows():
            for name in ('box', 'meta'):
                if name in row:
                    row[name] = json.dumps(row[name])
            writer.writerow([row.get(name) for name in columns])


def draw_found(
    found: Found, gallery: Gallery, query: Query | None = None
) -> Image.Image:
    """Draw a query above its hits; an image that can't be read says why.

    Args:
        found: The hits.
        gallery: Whose hits.
        query: What was searched for. Defaults to its description in words.

    Returns:
        The drawing, RGB. Where a threshold applies, hits that reach it are green.
    """
    cells = [
        HitCell(_load_hit(gallery, hit), _label(rank, hit), _kind(hit))
        for rank, hit in enumerate(found.hits, 1)
    ]
    return draw_hits(_query_cells(found, gallery, query), cells, describe_found(found))


def _query_cells(found: Found, gallery: Gallery, query: Query | None) -> list[HitCell]:
    if query is None:
        return [HitCell(json.dumps(found.query), kind='query')]
    sources: list[ImageSource] = list(query.images)  # type: ignore[arg-type]
    cells = [HitCell(_to_image(s), ['query'], 'query') for s in sources]
    cells += [HitCell(words, ['query'], 'query') for words in query.words]
    named = [(id_, 'like') for id_ in query.like]
    named += [(id_, 'not like') for id_ in query.unlike]
    items = gallery.get([id_ for id_, _ in named])
    for id_, role in named:
        cells.append(HitCell(_load(gallery, items[id_]), [role], 'query'))
    return cells


def _to_image(source: ImageSource) -> Image.Image:
    return Image.fromarray(source.decode().permute(1, 2, 0).contiguous().numpy())


def _load_hit(gallery: Gallery, hit: Hit) -> Image.Image | str:
    return _load(gallery, hit.item)


def _load(gallery: Gallery, item: Any) -> Image.Image | str:  # noqa: ANN401
    try:
        return gallery.image(item)
    except (UserError, OSError) as error:
        return str(error)


def _label(rank: int, hit: Hit) -> list[str]:
    item = hit.item
    where = [] if item.camera is None else [show_camera(item.camera)]
    when = [] if item.time is None else [show_time(item.time)]
    return [f'{rank}  {hit.score:.3f}', *where, *when]


def _kind(hit: Hit) -> str:
    if hit.match is None:
        return 'hit'
    return 'accepted' if hit.match else 'rejected'


def _show(name: str, value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ''
    if name == 'score':
        return f'{value:.4f}'
    if name == 'time':
        return show_time(value)
    if name == 'match':
        return 'yes' if value else 'no'
    if name == 'far':
        return f'{value:g}'
    # What a terminal would obey instead of showing
    return ''.join(c if c.isprintable() else '?' for c in str(value))
