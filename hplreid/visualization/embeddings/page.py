"""A map of features as a page that shows each item under the pointer."""

import base64
import html
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from hplreid.utils.atomic_files import atomic_path

from ..figures import COLORS
from .embedded_items import COLORINGS, EmbeddedItems

_THUMBNAIL = (64, 128)  # largest width and height, pixels


def write_embedding_page(
    items: EmbeddedItems, places: np.ndarray, path: str | Path, title: str = ''
) -> Path:
    """Write a page with a point for each item, and its image or caption on hovering.

    The page is one file, with thumbnails in it, and needs neither network nor library.
    A list chooses what colors mean; a click on a point keeps the items of its group
    alone, another shows all again.

    Args:
        items: The items, ``N`` of them; images are read from their paths.
        places: ``(N, 2)``, see :func:`.project`.
        path: The file, ``.html``.
        title: Head of the page.

    Returns:
        The path.

    Raises:
        FileNotFoundError: An image is missing.

    Example:
        >>> from hplreid.evaluation import FeatureSet
        >>> from hplreid.visualization import choose_items
        >>> pids, names = np.array([1, 2]), np.array(['a red coat', 'a <blue> coat'])
        >>> feats = FeatureSet(
        ...     np.eye(2), np.eye(2), pids, pids, query_names=names, gallery_names=names
        ... )
        >>> items = choose_items(feats)
        >>> page = write_embedding_page(items, np.zeros((4, 2)), 'map.html')
        >>> '<blue>' in page.read_text()
        False
    """
    low, high = places.min(axis=0), places.max(axis=0)
    shares = (places - low) / np.maximum(high - low, np.finfo(float).tiny)
    points = [
        {
            'x': round(float(x), 4),
            'y': round(1 - float(y), 4),
            'caption': bool(caption),
            'text': str(name) if caption else Path(str(name)).name,
            'image': '' if caption or not name else _thumbnail(str(name)),
            'identity': f'id {pid}',
            'camera': f'camera {camid}' if camid >= 0 else 'no camera',
            'modality': 'caption' if caption else 'image',
        }
        for (x, y), caption, name, pid, camid in zip(
            shares, items.captions, items.names, items.pids, items.camids, strict=True
        )
    ]
    # Within a script nothing but '<' can end it
    data = json.dumps(points).replace('<', '\\u003c')
    options = ''.join(f'<option>{name}</option>' for name in COLORINGS)
    text = (
        _PAGE.replace('@TITLE@', html.escape(title or 'Features'))
        .replace('@OPTIONS@', options)
        .replace('@COLORS@', json.dumps(COLORS))
        .replace('@POINTS@', data)
    )
    path = Path(path)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')
    return path


def _thumbnail(path: str) -> str:
    with Image.open(path) as opened:
        image = opened.convert('RGB')
    image.thumbnail(_THUMBNAIL)
    content = io.BytesIO()
    image.save(content, format='JPEG', quality=80)
    return 'data:image/jpeg;base64,' + base64.b64encode(content.getvalue()).decode()


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>@TITLE@</title><style>
body { font: 14px sans-serif; margin: 1em; color: #191919; }
svg { border: 1px solid #ccc; width: 100%; max-height: 80vh; }
#tip { position: fixed; display: none; background: white; border: 1px solid #888;
  padding: 6px; max-width: 260px; pointer-events: none; }
#tip img { display: block; margin-bottom: 4px; }
</style></head><body>
<h1 style="font-size: 1.2em">@TITLE@</h1>
<p>Color by <select id="by">@OPTIONS@</select>
 Circles are images, squares captions. Click a point to see its group alone.</p>
<svg id="map" viewBox="-20 -20 1040 640"></svg>
<div id="tip"></div>
<script>
const points = @POINTS@, colors = @COLORS@;
const map = document.getElementById('map'), tip = document.getElementById('tip');
const by = document.getElementById('by');
let only = null;
function draw() {
  map.replaceChildren();
  const names = [...new Set(points.map(p => p[by.value]))];
  for (const p of points) {
    const kind = p.caption ? 'rect' : 'circle';
    const shape = document.createElementNS('http://www.w3.org/2000/svg', kind);
    const x = p.x * 1000, y = p.y * 600;
    const place = p.caption ? {x: x - 5, y: y - 5, width: 10, height: 10}
                            : {cx: x, cy: y, r: 6};
    for (const key in place) shape.setAttribute(key, place[key]);
    shape.setAttribute('fill', colors[names.indexOf(p[by.value]) % colors.length]);
    shape.setAttribute('stroke', 'white');
    const shown = only === null || only === p[by.value];
    shape.setAttribute('opacity', shown ? 0.9 : 0.07);
    shape.onmousemove = event => {
      tip.replaceChildren();
      if (p.image) {
        const image = document.createElement('img');
        image.src = p.image;
        tip.append(image);
      }
      tip.append(`${p.identity}, ${p.camera}: ${p.text}`);
      const left = Math.min(event.clientX + 14, innerWidth - 290);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${Math.min(event.clientY + 14, innerHeight - 190)}px`;
      tip.style.display = 'block';
    };
    shape.onmouseleave = () => { tip.style.display = 'none'; };
    shape.onclick = () => {
      only = only === p[by.value] ? null : p[by.value];
      draw();
    };
    map.append(shape);
  }
}
by.onchange = () => { only = null; draw(); };
draw();
</script></body></html>
"""
