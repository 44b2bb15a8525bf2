"""The page of a map, in a browser."""

import numpy as np
import pytest
from PIL import Image

from hplreid.evaluation import FeatureSet
from hplreid.visualization import choose_items, write_embedding_page
from tests.browser import open_browser, open_page

CAPTION = 'a man in a <b>red</b> coat</script><script>alert(1)</script>'


@pytest.fixture(scope='module')
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp('map')
    for n in range(4):
        Image.new('RGB', (32, 64), (60 * n, 90, 30)).save(folder / f'{n}.jpg')
    feats = FeatureSet(
        np.eye(4)[:2],
        np.eye(4),
        np.array([1, 2]),
        np.array([1, 1, 2, 2]),
        query_names=np.array([CAPTION, 'a woman']),
        gallery_names=np.array([str(folder / f'{n}.jpg') for n in range(4)]),
    )
    items = choose_items(feats)
    places = np.arange(2.0 * len(items.pids)).reshape(-1, 2)
    return write_embedding_page(items, places, folder / 'map.html', 'A map').as_uri()


@pytest.mark.parametrize('width', [1200, 360])
def test_a_map_is_looked_at(address, width):
    with (
        open_browser() as browser,
        open_page(browser, address, viewport=dict(width=width, height=760)) as page,
    ):
        circles, squares, tip = (page.locator(s) for s in ('circle', 'rect', '#tip'))
        assert (circles.count(), squares.count()) == (4, 2)
        box = circles.first.bounding_box()
        assert box['width'] == pytest.approx(box['height'], rel=0.01)
        assert not tip.is_visible()
        circles.nth(1).hover()
        assert 'id 1' in tip.inner_text()
        assert tip.locator('img').evaluate('image => image.decode().then(() => true)')
        around = tip.bounding_box()
        assert around['x'] >= 0
        assert around['x'] + around['width'] <= width
        squares.first.hover()
        assert CAPTION in tip.inner_text()
        assert tip.locator('img, b').count() == 0
        circles.nth(0).click()
        faint = page.locator('svg [opacity="0.07"]')
        assert faint.count() == 3  # of the other identity
        page.select_option('#by', 'modality')
        assert faint.count() == 0
        colors = [c.get_attribute('fill') for c in [*circles.all(), *squares.all()]]
        assert len({*colors[:4]}) == len({*colors[4:]}) == 1
        assert colors[0] != colors[4]
        assert page.evaluate('document.documentElement.scrollWidth') <= width
