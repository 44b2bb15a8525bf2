"""The glossary of docs/style.md: its commonest slips are in no file."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SLIPS = {
    'picture': r'pictures?',
    'right answer': r'(right|wrong) answers?',
    'data set': r'data\s+sets?\b',
    'colour': r'colou?r(?<=colour)\w*',
    'centre': r'centre[sd]?',
    'normalise': r'\w*(normal|initial|regular|optim|token|general)is(e|ing|ation)',
    'neighbour': r'neighbour\w*',
    'labelled': r'labell\w+',
    'learnt': r'learnt|misspelt',
    'grey': r'grey\w*',
}
# What is on disk, or said in captions, keeps its name; this page lists the slips
EXEMPT = {
    'docs/style.md': set(SLIPS),
    'tests/test_docs/test_style.py': set(SLIPS),
    'hplreid/synthpeds/captions/caption.py': {'picture'},
    'hplreid/synthpeds/captions/phrases.py': {'grey'},
    # A caption of SynthPeds
    'docs/render_explanations.sh': {'grey'},
    'docs/visualization_explain.md': {'grey'},
}
ON_DISK = re.compile(r"""['"`]+pictures['"`]+""")  # a key of manifests and caches


def texts():
    """Yield each tracked text file of the project, with its path."""
    listed = subprocess.run(
        ['git', 'ls-files', '*.py', '*.md', '*.sh', '*.yml', '*.toml'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.split() or [  # a source distribution has no history
        str(path.relative_to(ROOT))
        for folder in ('hplreid', 'configs', 'tools', 'docs', 'tests', 'projects')
        for ending in ('*.py', '*.md')
        for path in (ROOT / folder).rglob(ending)
        if '.mim' not in path.parts
    ]
    for name in names:
        if (ROOT / name).is_file():
            yield name, (ROOT / name).read_text('utf-8')


def find_slips(word, text):
    """List the lines of a text that hold a slip."""
    pattern = re.compile(rf'(?<![A-Za-z]){SLIPS[word]}(?![a-z])', re.IGNORECASE)
    text = ON_DISK.sub('', text)
    return [text.count('\n', 0, m.start()) + 1 for m in pattern.finditer(text)]


@pytest.mark.parametrize('word', SLIPS)
def test_the_field_has_another_word(word):
    found = {
        name: lines
        for name, text in texts()
        if word not in EXEMPT.get(name, ()) and (lines := find_slips(word, text))
    }
    assert not found


@pytest.mark.parametrize(
    ('word', 'text'),
    [
        ('picture', 'two Pictures'),
        ('picture', 'def read_picture(path):'),
        ('right answer', 'no right answer'),
        ('data set', 'a data\n    set'),
        ('colour', 'colours'),
        ('centre', 'centred'),
        ('normalise', 'denormalise, initialisation'),
        ('neighbour', 'k neighbours'),
        ('labelled', 'labelled'),
        ('learnt', 'learnt'),
        ('grey', 'Grey'),
    ],
)
def test_a_planted_slip_is_found(word, text):
    assert find_slips(word, text)


@pytest.mark.parametrize(
    ('word', 'text'),
    [
        ('colour', 'color colors'),
        ('picture', "index['pictures']"),
        ('normalise', 'normalized noise'),
        ('data set', 'datasets, data settings'),
    ],
)
def test_good_words_pass(word, text):
    assert find_slips(word, text) == []
