"""The page on architecture: its paths are there, and no walk enters a file twice."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs/architecture.md').read_text('utf-8')
PATHS = re.findall(r'`((?:hplreid|configs|tools|projects|tests)/[\w/.-]*)`', PAGE)
EXAMPLES = {  # where a file of the reader's would go
    'hplreid/models/losses/x.py',
    'tests/test_models/test_losses/test_x.py',
}


def walks():
    """Return the files of each walk, in order, by its first words."""
    section = PAGE.split('## How things travel')[1].split('\n## ')[0]
    found = {}
    for paragraph in section.split('\n\n'):
        files = re.findall(r'`((?:hplreid|tools)/[\w/]+\.py)`', paragraph)
        if files:
            found[re.search(r'\*\*(.+?)\*\*', paragraph)[1]] = files
    return found


def test_paths_are_there():
    missing = [p for p in set(PATHS) - EXAMPLES if not (ROOT / p).exists()]
    assert len(PATHS) > 80
    assert not missing


def test_no_walk_enters_a_file_twice():
    assert len(walks()) == 6
    for name, files in walks().items():
        assert len(files) > 5
        assert len(set(files)) == len(files), name


def test_the_ten_commonest_changes_have_a_place():
    table = PAGE.split('## Where do I put')[1]
    rows = [line for line in table.splitlines() if re.match(r'\| an? ', line)]
    assert len(rows) == 10


def test_the_drawing_shows_every_room():
    for room in (ROOT / 'hplreid').glob('*/__init__.py'):
        assert f'hplreid/{room.parent.name}/' in PAGE
