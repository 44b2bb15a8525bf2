"""The one-way rule: who may import whom inside the repository.

``utils`` <- ``structures`` <- ``datasets, models, evaluation`` <- ``visualization`` <-
``engine`` <- ``apis`` <- ``search`` <- ``tools, projects``. An arrow points at who may
import. Neighbors on a level don't know each other: a model never imports a dataset, a
metric never sees a model. Visualization stands below the engine, for a hook draws the
ranked lists of a run. ``registry``, ``version`` and ``synthpeds`` import nothing of
ours and anyone above may import them. Inside a room the same holds from file to file
and from sub-room to sub-room: no circle. An import inside a function, or for type
checks only, counts as well.
"""

import ast
import importlib
import inspect
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEVELS = {
    'registry': 0,
    'version': 0,
    'synthpeds': 0,
    'utils': 1,
    'structures': 2,
    'datasets': 3,
    'models': 3,
    'evaluation': 3,
    'visualization': 4,
    'engine': 5,
    'apis': 6,
    'search': 7,
    'tools': 8,
    'projects': 8,
    'tests': 9,
}
SOURCES = sorted((ROOT / 'hplreid').rglob('*.py'))
PROGRAMS = sorted([*(ROOT / 'tools').rglob('*.py'), *(ROOT / 'projects').rglob('*.py')])
MODULES = [
    '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')
    for path in SOURCES
    if '.mim' not in path.parts
]


def layer(module):
    """Sub-package of ours that a dotted name lies in; None for anything else."""
    parts = module.split('.')
    if parts[0] == 'hplreid':
        return parts[1] if len(parts) > 1 else 'hplreid'
    return parts[0] if parts[0] in ('tools', 'projects', 'tests') else None


def absolute(node, path):
    """Dotted name that ``from X import ...`` in the file ``path`` starts from."""
    if not node.level:
        return node.module
    package = path.parent.parts[: len(path.parent.parts) - node.level + 1]
    return '.'.join([*package, *([node.module] if node.module else [])])


def imported(tree, path):
    """Yield ``(line, dotted name)`` of every import below ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, path)
            # 'from hplreid import models' names a sub-package: look at both parts
            yield from ((node.lineno, f'{base}.{alias.name}') for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_module(node.func):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, name.value


def _is_import_module(function):
    name = getattr(function, 'attr', getattr(function, 'id', None))
    return name in ('import_module', '__import__')


def may_import(importer, target):
    """Whether code of the layer ``importer`` may import the layer ``target``."""
    if target is None or importer == target:
        return True
    if importer == 'hplreid':  # the package itself: version and check of the machine
        return target in ('utils', 'version')
    if target == 'hplreid' or target not in LEVELS:  # a name of hplreid/__init__.py
        return True
    return LEVELS[target] < LEVELS[importer]


def violations(source, path):
    """List what breaks the rule in a file whose text is ``source``."""
    tree = ast.parse(source)
    importer = layer('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))
    found = [
        f'{path}:{line}: {importer} imports {name}'
        for line, name in imported(tree, path)
        if not may_import(importer, layer(name))
    ]
    stars = [
        f'{path}:{node.lineno}: star import'
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == '*'
    ]
    return found + stars


def test_imports_run_one_way():
    found = []
    for path in SOURCES + PROGRAMS:
        if '.mim' not in path.parts:
            found += violations(path.read_text('utf-8'), path.relative_to(ROOT))
    assert not found, '\n'.join(found)


def children_graph(sources, room):
    """Return which children of a room (files and sub-rooms) import which others."""
    graph = {}
    for path, source in sources.items():
        parts = path.with_suffix('').parts
        if parts[: len(room)] != room or parts[len(room)] == '__init__':
            continue
        mine = parts[len(room)]
        for _, name in imported(ast.parse(source), path):
            target = tuple(name.split('.'))
            if target[: len(room)] == room and len(target) > len(room):
                graph.setdefault(mine, set()).add(target[len(room)])
    return {a: {b for b in bs if b != a} for a, bs in graph.items()}


def find_circles(sources):
    """List the rooms whose children import each other in a circle."""
    rooms = {folder.parts for path in sources for folder in path.parents}
    found = []
    for room in sorted(rooms - {()}):
        try:
            TopologicalSorter(children_graph(sources, room)).prepare()
        except CycleError as error:
            found.append(f'{"/".join(room)}: {" -> ".join(error.args[1])}')
    return found


def test_no_circle_from_file_to_file_or_room_to_room():
    sources = {
        path.relative_to(ROOT): path.read_text('utf-8')
        for path in SOURCES
        if '.mim' not in path.parts
    }
    assert find_circles(sources) == []


def test_a_planted_circle_is_found():
    a, b, c = (Path(f'hplreid/models/{n}.py') for n in ('a/x', 'b/y', 'a/z'))
    between_rooms = {a: 'from ..b.y import f', b: 'from hplreid.models.a import z'}
    assert len(find_circles(between_rooms)) == 1
    between_files = {a: 'from .z import f', c: 'def g():\n    from .x import h'}
    assert len(find_circles(between_files)) == 1
    assert find_circles({a: 'from ..b.y import f', c: 'from .x import g', b: ''}) == []


def test_no_room_holds_more_than_twelve_files():
    crowded = {}
    for room in {path.parent for path in SOURCES if '.mim' not in path.parts}:
        files = [p for p in room.glob('*.py') if p.name != '__init__.py']
        if len(files) > 12 and room.name not in ('losses', 'heads'):  # lists of a kind
            crowded[str(room)] = len(files)
    assert not crowded


def test_every_room_says_what_lives_in_it_and_what_does_not():
    for path in SOURCES:
        if path.name == '__init__.py' and '.mim' not in path.parts:
            lines = ast.get_docstring(ast.parse(path.read_text('utf-8'))).splitlines()
            assert len(lines) >= 3, f'{path}: say in three lines what lives here'


def test_every_folder_of_the_package_has_a_level():
    folders = {p.parent.name for p in (ROOT / 'hplreid').glob('*/__init__.py')}
    files = {p.stem for p in (ROOT / 'hplreid').glob('*.py')} - {'__init__'}
    assert folders | files <= set(LEVELS)


@pytest.mark.parametrize(
    ('path', 'source'),
    [
        ('hplreid/models/a.py', 'from hplreid.datasets import Market1501'),
        ('hplreid/models/a.py', 'from hplreid import datasets'),
        ('hplreid/models/heads/a.py', 'from ...evaluation.ranking import rank'),
        ('hplreid/models/__init__.py', 'from .. import engine'),
        ('hplreid/models/a.py', 'def f():\n    import hplreid.apis'),
        ('hplreid/evaluation/a.py', 'import hplreid.models as m'),
        ('hplreid/evaluation/a.py', "import_module('hplreid.models')"),
        ('hplreid/datasets/a.py', 'from ..models.layers import x'),
        ('hplreid/evaluation/a.py', 'from hplreid.visualization import x'),
        ('hplreid/synthpeds/a.py', 'from hplreid.registry import x'),
        ('hplreid/utils/a.py', 'from ..structures import ReIDDataSample'),
        ('hplreid/engine/a.py', 'from hplreid.apis import x'),
        ('hplreid/apis/a.py', 'from tools.train import main'),
        ('hplreid/registry.py', 'from hplreid.utils.distributed import x'),
        ('hplreid/__init__.py', 'from .models import x'),
        ('hplreid/engine/a.py', 'from .loops import *'),
        ('projects/a/b.py', 'from tests.test_imports import x'),
    ],
)
def test_a_planted_violation_is_found(path, source):
    assert len(violations(source, Path(path))) == 1


@pytest.mark.parametrize(
    ('path', 'source'),
    [
        ('hplreid/models/heads/a.py', 'from ..losses import sdm_loss'),
        ('hplreid/models/heads/a.py', 'from hplreid.registry import HEADS'),
        ('hplreid/engine/hooks/a.py', 'from ...visualization import draw'),
        ('hplreid/engine/a.py', 'from hplreid import __version__'),
        ('hplreid/__init__.py', 'from .utils.environment import check_environment'),
        ('tools/train.py', 'from hplreid.apis import x\nimport torch.nn as nn'),
    ],
)
def test_a_legal_import_passes(path, source):
    assert violations(source, Path(path)) == []


def test_modules_import_and_export_what_they_say():
    for name in MODULES:
        module = importlib.import_module(name)
        assert module.__doc__, f'{name} has no docstring'
        missing = [n for n in getattr(module, '__all__', []) if not hasattr(module, n)]
        assert not missing, name


def find_loaded(program, modules):
    """Return which of the modules a program has loaded in a process of its own."""
    looking = f'import sys; print([m for m in {modules} if m in sys.modules])'
    done = subprocess.run(
        [sys.executable, '-c', f'{program}\n{looking}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ast.literal_eval(done.stdout.splitlines()[-1])


def test_importing_the_package_is_cheap():
    """Programs that only draw images or print help shouldn't wait for torch."""
    slow = ('torch', 'mmengine', 'mmcv', 'numpy', 'scipy', 'matplotlib')
    assert find_loaded('import hplreid', slow) == []


def test_a_training_starts_without_what_it_does_not_use():
    """Each of these takes up to a second; none is needed until something is drawn."""
    program = """
import hplreid.engine.run
from mmengine.registry import init_default_scope
from hplreid.engine.config import read_config
from hplreid.registry import ALL, MODELS
for registry in ALL:
    registry.import_from_location()
init_default_scope('hplreid')
config = read_config('configs/hpl/hpl_tiny_synthpeds.py')
MODELS.build({**config.model.to_dict(), 'num_ids': 4})
"""
    unused = ('scipy.stats', 'scipy.sparse', 'matplotlib', 'mmpretrain', 'mmcv')
    others = ('pandas', 'sklearn', 'transformers', 'tensorboard', 'h5py', 'pyarrow')
    assert find_loaded(program, unused + others) == []


def test_the_public_face_is_loaded_when_it_is_named():
    import hplreid

    rooms = {n: importlib.import_module(f'hplreid.{n}') for n in hplreid._HOMES}
    for room, names in hplreid._HOMES.items():
        assert sorted(names) == list(names)
        for name in names:
            assert getattr(hplreid, name) is getattr(rooms[room], name)
            assert name in dir(hplreid)
    functions = {
        name
        for name in rooms['evaluation'].__all__
        if inspect.isfunction(getattr(rooms['evaluation'], name))
    }
    helpers = {'find_differences', 'format_table', 'list_scores', 'list_ties'}
    assert set(hplreid._HOMES['evaluation']) == functions - helpers
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hplreid.nothing  # noqa: B018


def test_importing_the_package_takes_a_moment():
    program = 'import time; t = time.perf_counter(); import hplreid; '
    done = subprocess.run(
        [sys.executable, '-c', program + 'print(time.perf_counter() - t)'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 0.3
