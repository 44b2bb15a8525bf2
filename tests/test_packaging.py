"""Dependencies, package data, and the files that MIM reads."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import hplreid

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))
PROJECT = SETTINGS['project']
MIM_FILES = ('tools', 'configs', 'model-index.yml')
# Import names that differ from the name of the distribution.
DISTRIBUTIONS = {
    'PIL': 'pillow',
    'cv2': 'opencv-python',
    'mmcv': 'onedl-mmcv',
    'mmengine': 'onedl-mmengine',
    'mmpretrain': 'onedl-mmpretrain',
    'open_clip': 'open-clip-torch',
    'yaml': 'pyyaml',
}


def normal(requirement):
    """Return the normalized name of a requirement."""
    name = re.match(r'[\w.-]+', requirement).group()
    return re.sub(r'[-_.]+', '-', name).lower()


def third_party_imports():
    """Return the top-level names of third parties in imports of package and tools."""
    found = set()
    for folder in ('hplreid', 'tools'):
        for path in (ROOT / folder).rglob('*.py'):
            if '.mim' in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text('utf-8'))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split('.')[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    found.add(node.module.split('.')[0])
    return found - set(sys.stdlib_module_names) - {'hplreid', 'tools', '__future__'}


def test_dependencies_are_what_is_imported():
    imported = {normal(DISTRIBUTIONS.get(name, name)) for name in third_party_imports()}
    declared = {normal(name) for name in PROJECT['dependencies']}
    assert imported <= declared
    # Configs name mmpretrain's classes, and it needs mmcv without declaring it.
    assert declared - imported <= {'onedl-mmpretrain', 'onedl-mmcv'}


def test_mim_requirements_say_the_same_everywhere():
    text = (ROOT / 'requirements' / 'mminstall.txt').read_text('utf-8')
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines == PROJECT['optional-dependencies']['mim']
    assert set(lines) <= set(PROJECT['dependencies'])


@pytest.mark.parametrize('requirement', PROJECT['dependencies'])
def test_installed_versions_lie_in_the_declared_ranges(requirement):
    packaging = pytest.importorskip('packaging.requirements')
    parsed = packaging.Requirement(requirement)
    version = metadata.version(parsed.name).split('+')[0]
    assert parsed.specifier.contains(version, prereleases=True)


def test_the_file_of_lowest_versions_says_what_is_declared():
    requirements = pytest.importorskip('packaging.requirements')
    versions = pytest.importorskip('packaging.version')
    text = (ROOT / 'requirements' / 'lowest.txt').read_text('utf-8')
    pinned = dict(line.split('==') for line in text.splitlines() if '==' in line)
    extras = PROJECT['optional-dependencies']
    declared = {*PROJECT['dependencies'], *(r for own in extras.values() for r in own)}
    bounds = {}
    for requirement in map(requirements.Requirement, declared):
        for specifier in requirement.specifier:
            if specifier.operator == '>=':
                bounds[requirement.name] = versions.Version(specifier.version).release
    needed = {requirements.Requirement(r).name for r in PROJECT['dependencies']}
    assert needed <= set(pinned) <= set(bounds)
    for name, version in pinned.items():
        bound = bounds[name]
        assert versions.Version(version).release[: len(bound)] == bound, name


def test_one_version_number():
    source = (ROOT / 'hplreid' / 'version.py').read_text('utf-8')
    assert f"__version__ = '{hplreid.__version__}'" in source
    assert f'## [{hplreid.__version__}]' in (ROOT / 'CHANGELOG.md').read_text('utf-8')


@pytest.fixture(scope='module')
def setup_script():
    spec = importlib.util.spec_from_file_location('hplreid_setup', ROOT / 'setup.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_copies_leave_nothing_of_an_older_build(setup_script, tmp_path):
    (tmp_path / '.mim' / 'configs').mkdir(parents=True)
    stale = tmp_path / '.mim' / 'configs' / 'renamed.py'
    stale.touch()
    setup_script.copy_mim(tmp_path / '.mim')
    assert not stale.exists()
    assert (tmp_path / '.mim' / 'configs' / 'hpl' / 'metafile.yml').is_file()
    assert not list((tmp_path / '.mim').rglob('__pycache__'))


def test_where_links_are_forbidden_files_are_copied(
    setup_script, tmp_path, monkeypatch, capsys
):
    def forbid(self, target):
        raise OSError('no right to make links')

    monkeypatch.setattr(Path, 'symlink_to', forbid)
    for _ in range(2):  # a second install replaces the copies of the first
        setup_script.link_mim(tmp_path)
    assert (tmp_path / 'configs' / 'hpl' / 'metafile.yml').is_file()
    assert 'edits need a new install' in capsys.readouterr().out


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of what a build needs, so that builds don't change this tree."""
    target = tmp_path_factory.mktemp('checkout')
    ignored = shutil.ignore_patterns('__pycache__', '.mim')
    for folder in ('hplreid', 'tools', 'configs', 'requirements'):
        shutil.copytree(ROOT / folder, target / folder, ignore=ignored)
    (target / 'tests').mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, target / path.name)
    return target


def build(checkout, kind):
    """Call the build backend as pip does; return the path of its result."""
    program = (
        'import sys; from setuptools import build_meta; '
        f"print('made', build_meta.build_{kind}('dist'))"
    )
    (checkout / 'dist').mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return checkout / 'dist' / done.stdout.splitlines()[-1].removeprefix('made ')


def test_wheel_holds_the_package_its_data_and_what_mim_reads(checkout):
    wheel = zipfile.ZipFile(build(checkout, 'wheel'))
    names = set(wheel.namelist())
    sources = {
        f'{path.relative_to(checkout)}'
        for path in [
            *(checkout / 'hplreid').rglob('*.py'),
            *(checkout / 'hplreid' / 'assets').glob('*.*'),
        ]
    }
    # A missing file is in a folder without __init__.py
    assert sorted(sources - names) == []
    assert 'hplreid/py.typed' in names
    for name in MIM_FILES[:2]:
        expected = {
            f'hplreid/.mim/{path.relative_to(checkout)}'
            for path in (checkout / name).rglob('*.*')
        }
        assert expected
        assert expected <= names
    assert 'hplreid/.mim/model-index.yml' in names
    assert not [n for n in names if n.startswith(('tests/', 'tools/', 'configs/'))]


def test_editable_install_links_what_mim_reads(checkout):
    build(checkout, 'editable')
    for name in MIM_FILES:
        link = checkout / 'hplreid' / '.mim' / name
        assert link.is_symlink()
        assert link.resolve() == checkout / name


def test_source_distribution_holds_what_a_wheel_is_built_from(checkout):
    with tarfile.open(build(checkout, 'sdist')) as archive:
        names = {name.partition('/')[2] for name in archive.getnames()}
    assert {'setup.py', 'pyproject.toml', 'README.md', 'LICENSE'} <= names
    assert {'model-index.yml', 'configs/hpl/metafile.yml', 'hplreid/py.typed'} <= names
    assert not [name for name in names if '.mim' in name or name.endswith('.pyc')]


def test_links_are_ignored_by_git():
    ignored = (ROOT / '.gitignore').read_text('utf-8').splitlines()
    assert '/hplreid/.mim/' in ignored or '/hplreid/.mim' in ignored
