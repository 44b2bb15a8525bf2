"""The one-way rule: who may import whom inside the repository.

``utils`` <- ``structures`` <- ``datasets, models, evaluation, visualization`` <-
``engine`` <- ``apis`` <- ``tools, projects``. An arrow points at who may import.
Neighbours on a level don't know each other: a model never imports a data set, a metric
never sees a model. Visualization stands below the engine, for a hook draws the ranked
lists of a run. ``registry`` and ``version`` import nothing of ours and anyone may
import them. An import inside a function, or for type checks only, counts as well.
"""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEVELS = {
    'registry': 0,
    'version': 0,
    'utils': 1,
    'structures': 2,
    'datasets': 3,
    'models': 3,
    'evaluation': 3,
    'visualization': 3,
    'engine': 4,
    'apis': 5,
    'tools': 6,
    'projects': 6,
    'tests': 7,
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
        ('hplreid/visualization/a.py', 'from hplreid.evaluation import x'),
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


@pytest.mark.parametrize('name', MODULES)
def test_module_imports_and_exports_what_it_says(name):
    module = importlib.import_module(name)
    assert module.__doc__, f'{name} has no docstring'
    missing = [n for n in getattr(module, '__all__', []) if not hasattr(module, n)]
    assert not missing


def test_importing_the_package_is_cheap():
    """Programs that only draw pictures or print help shouldn't wait for torch."""
    program = (
        'import sys, hplreid; '
        "print([m for m in ('torch', 'mmengine', 'mmcv') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == '[]'
