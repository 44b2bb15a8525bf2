"""Configs and command lines with a slip in them, drawn from a seed."""

import random
from collections import Counter
from copy import deepcopy
from functools import cache
from pathlib import Path

from mmengine.config import Config

from hplreid.engine.config import check_settings, read_config
from hplreid.engine.config.schema.resolved_run import flatten, resolve_run
from hplreid.engine.config.sources.listing import _shared_key
from hplreid.utils.user_error import UserError

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = (
    'bot/bot_tiny_synthpeds',
    'clip/clip_tiny_synthpeds-t2i_sdm',
    'clip_reid/clip-reid_tiny_synthpeds',
    'hpl/hpl_tiny_synthpeds',
    'hpl/hpl_tiny_synthpeds_irr',
    'irra/irra_tiny_synthpeds',
    'promptsg/promptsg_tiny_synthpeds',
    'propot/propot_tiny_synthpeds',
    'transreid/transreid_tiny_synthpeds',
)
WRONG = ('text', -1, 1.5, True, None, [], {}, {'a': 1}, [1, 'a'], (1, 2, 3), -(10**9))
NUMBERS = (-1, 0, -0.5, 1.5, 10**9, 1e-300, -(10**9))
GARBAGE = ('foo', '=3', 'a.b', '.a=1', 'a..b=1', 'a={', 'a=dict(', 'a=f(1,2)', 'a=(1,')
VARIABLES = (
    'img_size=(9,9)',
    'data_root=x',
    'i2i.split=val',
    'train_pipeline.0=A',
)


def path_of(name):
    return ROOT / 'configs' / f'{name}.py'


@cache
def read_once(name):
    """Return a config as a plain dict, and the keys of what it runs."""
    plain = read_config(str(path_of(name))).to_dict()
    keys = []
    for key, _ in flatten(resolve_run(plain)):
        keys.append(key if holder(plain, key) is not None else _shared_key(key))
    return plain, sorted({k for k in keys if holder(plain, k) is not None})


def holder(value, key):
    """Return the dict or list that has the last part of a key, None if none has."""
    for part in key[:-1]:
        if isinstance(value, list):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return None
    there = isinstance(value, dict) and key[-1] in value
    return value if there or isinstance(value, list) else None


def misspell(rng, word):
    """Drop, double or swap a letter of a word."""
    at = rng.randrange(len(word))
    slips = (
        word[:at] + word[at + 1 :],
        word[: at + 1] + word[at:],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )
    found = [slip for slip in slips if slip and slip != word and slip.isidentifier()]
    return rng.choice(found or [f'{word}x'])


def draw(seed, folder):
    """Return kind, name, file and options of a case, and what says the same as before.

    Args:
        seed: Of the case.
        folder: Where files are written.
    """
    rng = random.Random(seed)
    name = rng.choice(CONFIGS)
    plain, keys = read_once(name)
    kind = rng.choice(
        ('file key', 'file type', 'file range', 'file deletion', 'derived file')
        + ('option key', 'option type', 'option range', 'option word')
    )
    key = rng.choice(keys)
    named = [n for n, part in enumerate(key) if part.isidentifier()]
    at = rng.choice(named)
    wrong = key[:at] + (misspell(rng, key[at]),) + key[at + 1 :]
    value = rng.choice(NUMBERS if kind.endswith('range') else WRONG)
    if kind == 'option word':
        word = rng.choice((*GARBAGE, *VARIABLES, f'{misspell(rng, key[0])}=3'))
        return kind, name, path_of(name), [word]
    if kind.startswith('option'):
        changed = wrong if kind == 'option key' else key
        return kind, name, path_of(name), [f'{".".join(changed)}={value}']
    path = folder / f'case_{seed}.py'
    if kind == 'derived file':
        inner = repr(value)
        for part in reversed(wrong[1:]):
            inner = f'{{{part!r}: {inner}}}'
        path.write_text(f'_base_ = {str(path_of(name))!r}\n{wrong[0]} = {inner}\n')
        return kind, name, path, []
    config = deepcopy(plain)
    part = holder(config, key if kind != 'file key' else key[: at + 1])
    last = key[-1] if kind != 'file key' else key[at]
    last = int(last) if isinstance(part, list) else last
    if kind == 'file key':
        part[wrong[at]] = part.pop(last)
    elif kind == 'file deletion':
        part.pop(last)
    else:
        part[last] = value
    Config(config, format_python_code=False).dump(path)
    return kind, name, path, []


def judge(seed, folder):
    """Return kind and outcome of a case: refused in words, changed, or a fault.

    A fault is an error that isn't a user's, or a slip that changes nothing of what is
    run and is said by nobody.
    """
    kind, name, path, options = draw(seed, folder)
    shown = f'{seed}: {kind}, {name}, {options or path.read_text()[-200:]}'
    try:
        config = read_config(str(path), options)
        check_settings(config)
    except UserError as error:
        return kind, 'refused' if str(error) else f'no message: {shown}'
    except Exception as error:
        return kind, f'{type(error).__name__}: {error} ({shown})'
    before, now = resolve_run(read_once(name)[0]), resolve_run(config.to_dict())
    if repr(before) != repr(now) or _says_what_is_there(before, options):
        return kind, 'changed'
    return kind, f'ignored: {shown}'


def _says_what_is_there(run, options):
    """Whether an option sets the value that is there."""
    key, _, value = ''.join(options).partition('=')
    return any(
        '.'.join(k).endswith(key) and repr(v).strip("'") == value
        for k, v in flatten(run)
        if key
    )


def count_outcomes(seeds, folder):
    """Return how many cases of each kind were refused and changed, and the faults."""
    counts, faults = Counter(), []
    for seed in seeds:
        kind, outcome = judge(seed, folder)
        counts[kind, outcome if outcome in ('refused', 'changed') else 'fault'] += 1
        if outcome not in ('refused', 'changed'):
            faults.append(outcome)
    return counts, faults
