"""The page, driven in a browser as people do."""

import base64
import csv
import json

import pytest

from tests.browser import open_page

from .served import COUNT, MARKUP
from .test_hostile import bomb

DROP = """async ([base64, name]) => {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, {type: 'image/jpeg'}));
  const target = document.querySelector('.drop');
  for (const kind of ['dragenter', 'dragover']) {
    target.dispatchEvent(new DragEvent(kind, {dataTransfer: files, bubbles: true}));
  }
  while (!document.querySelector('.q-uploader__dnd')) await new Promise(
    done => setTimeout(done, 20));
  const over = document.querySelector('.q-uploader__dnd');
  over.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true}));
}"""


@pytest.fixture
def page(browser, address):
    with open_page(browser, address, viewport=dict(width=1280, height=860)) as page:
        page.get_by_label('Words', exact=True).wait_for()
        yield page


def type_words(page, words):
    page.get_by_label('Words', exact=True).fill(words)
    page.keyboard.press('Enter')
    page.wait_for_selector('.hit')


def ids(page):
    return page.eval_on_selector_all('.hit', 'all => all.map(e => e.dataset.id)')


def scores(page):
    texts = page.locator('.hit .score').all_inner_texts()
    return [float(text.split('. ')[1]) for text in texts]


def add_image(page, path):
    before = page.locator('figure').count()
    page.set_input_files('.drop input[type=file]', path)
    page.locator('figure').nth(before).wait_for()


def wait_for_change(page, before):
    page.wait_for_function(
        """before => JSON.stringify([...document.querySelectorAll('.hit')].map(
            e => e.dataset.id)) !== before""",
        arg=json.dumps(before, separators=(',', ':')),
    )


def test_words_are_typed(page):
    type_words(page, 'a person in a red shirt and blue trousers')
    assert len(ids(page)) == COUNT + 1
    assert scores(page) == sorted(scores(page), reverse=True)
    first = page.locator('.hit').first
    assert first.locator('.score').inner_text().startswith('1. ')
    assert 'video' in first.inner_text()
    page.wait_for_function(
        "[...document.querySelectorAll('.hit img')].filter(i => i.naturalWidth).length"
        ' >= 6'
    )


def test_markup_is_shown_as_text(page):
    type_words(page, MARKUP)
    assert MARKUP in page.locator('.hits').inner_text()
    assert page.locator('.hits img[src=x]').count() == 0
    page.get_by_text('Filters and number of hits').click()
    page.get_by_label('Cameras').click()
    page.locator('.q-menu').get_by_text(MARKUP).wait_for()


def test_an_image_is_dropped(page, gallery):
    data = (gallery.parent / 'images/05.jpg').read_bytes()
    page.evaluate(DROP, [base64.b64encode(data).decode(), '../../05.jpg'])
    page.locator('figure img').wait_for()
    page.get_by_role('button', name='Search').click()
    page.wait_for_selector('.hit')
    assert ids(page)[0] == '05.jpg'
    assert scores(page)[0] == pytest.approx(1, abs=2e-3)


def test_words_and_images_have_a_weight(page, gallery):
    add_image(page, gallery.parent / 'images/05.jpg')
    weight = page.get_by_label('Weight of the words beside the images')
    assert not weight.is_visible()
    type_words(page, 'all in yellow')
    assert page.get_by_text('Images 50 %, words 50 %').is_visible()
    both = scores(page)
    weight.locator('[tabindex="0"]').focus()
    page.keyboard.press('PageDown')
    page.get_by_text('Images 100 %, words 0 %').wait_for()
    page.get_by_role('button', name='Search').click()
    page.wait_for_function(
        "document.querySelector('.hit .score').innerText.endsWith('1.000')"
    )
    assert scores(page) != both
    page.get_by_label('Remove image').click()
    page.locator('figure').wait_for(state='detached')
    assert not weight.is_visible()


def test_filters(page):
    type_words(page, 'a person')
    before = ids(page)
    page.get_by_text('Filters and number of hits').click()
    page.get_by_label('Sources').click()
    page.locator('.q-menu').get_by_text('video 1 (6)').click()
    page.keyboard.press('Escape')
    page.get_by_label('Not before').fill('300')
    page.keyboard.press('Enter')
    wait_for_change(page, before)
    assert sorted(ids(page)) == ['05.jpg', '07.jpg', '09.jpg', '11.jpg']
    page.get_by_label('Not after').fill('90000')
    page.get_by_label('Not before').fill('80000')
    page.keyboard.press('Enter')
    page.get_by_text('Nothing is found: the filters let no item through.').wait_for()


def test_more_like_this_and_not_like_this(page):
    type_words(page, 'a person')
    before = ids(page)
    page.get_by_label('More like this: hit 3', exact=True).click()
    wait_for_change(page, before)
    assert before[2] not in ids(page)
    assert page.locator('figure.like').count() == 1
    now = ids(page)
    page.get_by_label('Not like this: hit 1', exact=True).click()
    wait_for_change(page, now)
    assert not {before[2], now[0]} & {*ids(page)}
    assert page.locator('figure.unlike').count() == 1
    assert 'no false-accept rate is known' in page.locator('.threshold').inner_text()


def test_threshold_with_its_false_accept_rate(page, gallery):
    add_image(page, gallery.parent / 'images/05.jpg')
    page.get_by_role('button', name='Search').click()
    page.wait_for_selector('.hit')
    assert page.locator('.hit.below').count() == 0
    assert 'above 10 % (thresholds.json)' in page.locator('.threshold').inner_text()
    strict = page.get_by_text('false-accept rate at most 0.1 %')
    for _ in range(100):  # it takes a moment to be said
        page.locator('.slider [tabindex="0"]').press('PageUp')
        if strict.is_visible():
            break
    strict.wait_for()
    below, reached = page.locator('.hit.below'), page.locator('.hit.reached')
    assert reached.first.get_attribute('data-id') == '05.jpg'
    assert below.count() + reached.count() == COUNT + 1
    faint = [
        float(text.split('. ')[1]) for text in below.locator('.score').all_inner_texts()
    ]
    assert faint
    assert max(faint) < 0.98


def test_export(page, gallery):
    type_words(page, 'a person in a green shirt')
    files = {}
    for kind in ('CSV', 'JSON'):
        with page.expect_download() as waiting:
            page.get_by_label(f'Export as {kind}').click()
        files[kind] = waiting.value.path().read_text('utf-8')
    rows = list(csv.DictReader(files['CSV'].splitlines()))
    hits = json.loads(files['JSON'])['hits']
    assert [row['id'] for row in rows] == [hit['id'] for hit in hits] == ids(page)
    assert {hit['match'] for hit in hits} == {True}


def test_with_the_keyboard_alone(page):
    page.keyboard.type('a person in a red shirt')  # the field has the focus
    page.keyboard.press('Enter')
    page.wait_for_selector('.hit')
    before, names = ids(page), []
    for _ in range(40):
        page.keyboard.press('Tab')
        name = page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.innerText || ''"
        )
        names.append(name)
        if name == 'More like this: hit 1':
            break
    assert any('Choose images' in name for name in names)
    assert any('Search' in name for name in names)
    assert names[-1] == 'More like this: hit 1'
    page.keyboard.press('Enter')
    wait_for_change(page, before)
    assert before[0] not in ids(page)


def test_on_a_phone(browser, address):
    with open_page(browser, address, viewport=dict(width=360, height=740)) as page:
        type_words(page, 'a person in a red shirt')
        assert page.evaluate('document.documentElement.scrollWidth') <= 360
        boxes = [card.bounding_box() for card in page.locator('.hit').all()[:2]]
        assert boxes[0]['y'] == boxes[1]['y']  # two beside one another
        assert boxes[1]['x'] + boxes[1]['width'] <= 360


@pytest.mark.parametrize(
    ('name', 'data', 'said'),
    [
        ('bomb.png', bomb(60_000), 'has too many pixels'),
        (f'{MARKUP}.png', b'<script>alert(1)</script>', 'is no image'),
    ],
)
def test_errors_are_in_words(page, name, data, said):
    file = dict(name=name, mimeType='image/png', buffer=data)
    page.set_input_files('.drop input[type=file]', file)
    page.get_by_role('alert').get_by_text(said).wait_for()
    assert name in page.get_by_role('alert').inner_text()


def test_a_file_that_is_too_large(page, tmp_path):
    path = tmp_path / 'large.jpg'
    with path.open('wb') as file:
        file.truncate(21 << 20)
    page.set_input_files('.drop input[type=file]', path)
    page.get_by_role('alert').get_by_text('images of at most 20 MB').wait_for()


def test_nothing_to_search_for_and_a_wrong_time(page):
    page.get_by_role('button', name='Search').click()
    alert = page.get_by_role('alert')
    alert.get_by_text('There is nothing to search for').wait_for()
    page.get_by_text('Filters and number of hits').click()
    page.get_by_label('Not before').fill('yesterday')
    page.get_by_label('Words', exact=True).fill('a person')
    page.keyboard.press('Enter')
    alert.get_by_text("time='yesterday': expected a date").wait_for()
    page.get_by_role('button', name='Start over').click()
    alert.wait_for(state='hidden')
