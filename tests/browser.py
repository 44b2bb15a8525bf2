"""Chromium without a window, for tests of pages; skips where there is none."""

import shutil
from contextlib import contextmanager

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
OPTIONS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
]


@contextmanager
def open_browser():
    """Open a browser, with a profile of its own, and close it."""
    playwright = pytest.importorskip(
        'playwright.sync_api', reason='needs the package playwright'
    )
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f'needs a browser: none of {", ".join(NAMES)} is installed')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser, address, **options):
    """Open a page; fail if it reports an error or asks another host for anything."""
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    page = context.new_page()
    host, wrong = '/'.join(address.split('/')[:3]), []
    page.on('pageerror', lambda error: wrong.append(f'error: {error}'))
    page.on('dialog', lambda dialog: wrong.append(f'dialog: {dialog.message}'))

    def look(request):
        if not request.url.startswith((host, 'data:', 'blob:')):
            wrong.append(f'foreign: {request.url}')

    page.on('request', look)
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert not wrong
