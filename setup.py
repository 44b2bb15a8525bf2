"""Build the package, with ``tools`` and ``configs`` in the folder that MMEngine reads.

A config of another project inherits from an installed one by name, ``_base_ =
'hplreid::hpl/...'``, which MMEngine looks for in ``hplreid/.mim``. (The commands ``mim
run``, ``train`` and ``search`` know the code bases of their list alone.) A wheel gets
copies. An editable install gets links, so that edited configs need no new
install. The source distribution has the originals, from which its wheel is built.
"""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('tools', 'configs', 'model-index.yml')


def link_mim(target: Path) -> None:
    """Link the files that MIM reads into ``target``; copy them where links fail."""
    target.mkdir(parents=True, exist_ok=True)
    for name in MIM_FILES:
        link = target / name
        _remove(link)
        try:
            link.symlink_to(os.path.relpath(ROOT / name, target))
        except OSError as error:  # Windows, without the right to make links
            print(
                f'{link}: copied, so that edits need a new install (no links: {error})'
            )
            _copy(ROOT / name, link)


def copy_mim(target: Path) -> None:
    """Copy the files that MIM reads into ``target``."""
    shutil.rmtree(target, ignore_errors=True)  # files of an older build
    target.mkdir(parents=True)
    for name in MIM_FILES:
        _copy(ROOT / name, target / name)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns('__pycache__', '*.pyc')
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy2(source, target)


class BuildPy(build_py):
    """The command ``build_py``, which also fills ``.mim`` of the package.

    ``sys.argv`` doesn't say what is being built, since pip calls the build backend for
    wheels and editable installs alike; the command does.
    """

    def run(self):
        """Build the package, then ``.mim``."""
        super().run()
        if self.editable_mode:
            link_mim(ROOT / 'hplreid' / '.mim')
        else:
            copy_mim(Path(self.build_lib) / 'hplreid' / '.mim')


if __name__ == '__main__':
    setup(cmdclass={'build_py': BuildPy})
