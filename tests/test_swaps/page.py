"""Write the page of swaps: ``python -m tests.test_swaps.page`` makes docs/swaps.md.

``--check`` runs the matrix and only says whether anything broke.
"""

import argparse
import logging
import re
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path

from tests.test_models.test_reid.tiny import add_nano_arch

from .cases import all_swaps
from .methods import METHODS
from .run import BREAKS, REFUSED, TRAINS, Outcome, Swap, try_swap

PAGE = Path(__file__).parents[2] / 'docs' / 'swaps.md'
MARKS = {TRAINS: 'yes', REFUSED: 'no', BREAKS: '**breaks**'}
INTRO = """# Swaps: which part fits where

Every registered tower, prompt learner, inversion network, neck, head and loss, and
towers of mmpretrain and timm, in every slot of every method that could hold it, at a
tiny size: either one training step of each stage and one inference (finite losses, a
gradient in the part, features of the model that a test builds), or a refusal in words
before anything is trained. Nothing else may happen.

This page is made by `python -m tests.test_swaps.page`; `tests/test_swaps` runs a
sample of the matrix, and all of it under `pytest -m exhaustive`.

## What decides

* **A tower's width and form are found out.** Towers of this package say their
  `feature_dims`. Any other one is run on a blank image when the model is built, on
  the meta device where that works. Of a map `(B, C, H, W)`, of tokens `(B, N, C)` and
  of a vector `(B, C)`, or the last of a tuple of those, it serves as `v` (a vector),
  `map` and `image_tokens`. A config gives no `in_channels` and no `feature_dims`;
  where it does, they must agree.
* **Methods say what they offer, necks and heads what they read**: names, and each
  one's kind, width and rows (`FeatureForm` in `hplreid/structures/feature_form.py`).
  What a message lists after "offers" can be read.
* **What is compared must be equally wide.** An image tower that no text tower was
  trained with takes a neck, `v_joint=dict(type='LinearNeck', reads='v',
  out_channels=512)`, and heads, `i2i_feature` and `t2i_feature` name `v_joint`. Its
  text tower has an `arch` of its own in the config. In the table of image towers
  "necks" is such a config.
* **Images must be of the size that the tower is made for**: `img_size` against
  `ResizeImage` of every pipeline; a tower of another code base is run on a blank
  image of that size. A window that is too large is reported in the same way.
* **A loss has no slot of its own**: a head holds it, and tests hold every head to
  have been tried.
"""


def write_page(results: list[tuple[Swap, Outcome]]) -> str:
    """Return the page."""
    counts = Counter(outcome.kind for _, outcome in results)
    lines = [
        INTRO,
        '## Counts',
        '',
        f'{len(results):,} swaps: **{counts[TRAINS]:,} train, {counts[REFUSED]:,} are '
        f'refused in words, {counts[BREAKS]:,} do anything else.**',
        '',
        '| slot | swaps | train | refused | else |',
        '| --- | ---: | ---: | ---: | ---: |',
    ]
    for kind, found in _by_slot(results).items():
        n = Counter(outcome.kind for _, outcome in found)
        lines.append(
            f'| {kind} | {len(found)} | {n[TRAINS]} | {n[REFUSED]} | {n[BREAKS]} |'
        )
    for kind, found in _by_slot(results).items():
        lines += ['', f'## {kind.capitalize()}', '', *_table(found)]
    return '\n'.join(lines) + '\n'


_SLOTS = {
    'image_encoder': 'image towers',
    'text_encoder': 'text towers of captions',
    'prompt_encoder': 'text towers of prompts',
    'prompt_learner': 'prompt learners',
    'PrototypeContrastHead.learner': 'prompt learners',
    'neck': 'necks',
    'IDHead.neck': 'necks',
}


def _by_slot(results: list) -> dict[str, list]:
    kinds = defaultdict(list)
    for swap, outcome in results:
        first = swap.slot.split()[0]
        other = 'heads' if first.startswith('heads') else 'inversion networks'
        kinds[_SLOTS.get(first, other)].append((swap, outcome))
    return kinds


def _table(found: list) -> list[str]:
    """Return a table of parts and methods, and an example of each refusal."""
    cells: dict = defaultdict(lambda: defaultdict(list))
    reasons: dict = {}
    for swap, outcome in found:
        cells[swap.part][swap.method].append((swap.slot, outcome.kind))
        if outcome.kind != TRAINS:
            reasons.setdefault(_gist(outcome.message), (swap, outcome.message))
    methods = [m for m in METHODS if any(m in row for row in cells.values())]
    lines = [f'| part | {" | ".join(methods)} |', '| --- |' + ' --- |' * len(methods)]
    lines += [
        f'| {name} | ' + ' | '.join(_cell(row.get(m, [])) for m in methods) + ' |'
        for name, row in cells.items()
    ]
    lines += ['', 'What refusals say, one of each kind:', '']
    lines += [
        f'* {swap.part} in {swap.method}, {swap.slot}: `{_first_line(message)}`'
        for swap, message in reasons.values()
    ]
    return lines


def _gist(message: str) -> str:
    """Return a message without the names and numbers that others of its kind have."""
    start = re.split(r'offers|It takes|Registered', message)[0]
    return re.sub(r"'[^']*'|\d+|\w+\.\w+|[A-Z]\w+|[a-z_.]+:", '', start)


def _cell(outcomes: list) -> str:
    """Return what came of a part's swaps in a method."""
    if not outcomes:
        return ''
    kinds = dict(outcomes)
    if BREAKS in kinds.values():
        return MARKS[BREAKS]
    if set(kinds) == {'image_encoder', 'image_encoder with necks'}:
        if kinds['image_encoder'] == TRAINS:
            return 'yes'
        fitted = kinds['image_encoder with necks'] == TRAINS
        return 'necks' if fitted else 'no'
    trained = sum(kind == TRAINS for _, kind in outcomes)
    if len(outcomes) == 1:
        return MARKS[outcomes[0][1]]
    return f'{trained} of {len(outcomes)}'


def _first_line(message: str) -> str:
    line = ' '.join(message.split()).replace('`', "'")
    return line if len(line) <= 300 else line[:297] + '...'


def main(check: bool) -> None:
    """Run the matrix; write the page."""
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        add_nano_arch(Path(folder))
        results = [(swap, try_swap(swap)) for swap in all_swaps()]
    for swap, outcome in results:
        if outcome.kind == BREAKS:
            print(f'{swap}: {outcome.message}')
    print(Counter(outcome.kind for _, outcome in results))
    if not check:
        PAGE.write_text(write_page(results), encoding='utf-8')


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--check', action='store_true')
    main(parser.parse_args().check)
