"""docs/own_data.md: its files are saved and its commands run, in order."""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from hplreid.engine.config.check import find_problems
from hplreid.engine.config.read import read_config
from hplreid.evaluation.files import read_scores
from hplreid.registry import DATASETS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'own_data.md').read_text('utf-8')
SAVED = re.compile(r'[Ss]ave it as\s+`([^`]+)`:\n\n```python\n(.*?)```', re.DOTALL)
BLOCK = re.compile(r'```(\w+)\n(.*?)```', re.DOTALL)
FILES = dict(SAVED.findall(PAGE))
COMMANDS = [
    line
    for language, text in BLOCK.findall(PAGE)
    for line in text.splitlines()
    if language == 'bash'
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder where the page was followed, except for its last command."""
    folder = tmp_path_factory.mktemp('reader')
    shutil.copytree(ROOT / 'configs', folder / 'configs')
    (folder / 'tools').symlink_to(ROOT / 'tools')
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding='utf-8')
    for command in COMMANDS[:-1]:
        run(command, folder)
    return folder


def run(command, folder):
    python, *arguments = shlex.split(command)
    assert python == 'python'
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, command + done.stdout[-2000:] + done.stderr[-3000:]


def test_files_and_commands_of_the_page_are_parsed():
    """Otherwise the other tests would run nothing."""
    assert list(FILES) == [
        'make_table.py',
        'configs/own_data.py',
        'make_folders.py',
        'configs/own_sources.py',
    ]
    tools = [shlex.split(command)[1] for command in COMMANDS]
    assert tools == [
        'tools/dataset_tools/make_synthpeds.py',
        'make_table.py',
        'tools/train.py',
        'tools/test.py',
        'make_folders.py',
        'tools/train.py',
    ]


def test_table_has_all_rows_of_synthpeds(folder):
    with open(folder / 'data/people/people.csv', encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    captioned = [row for row in rows if row['caption']]
    # docs/synthpeds.md: 8 x 2 training images, 4 x 2 val, 6 x 2 test; 2 captions each
    splits = [row['split'] for row in captioned]
    assert [splits.count(s) for s in ('train', 'val', 'test')] == [32, 16, 24]
    others = [row['split'] for row in rows if not row['caption']]
    counts = [others.count(s) for s in ('train', 'query', 'gallery')]
    assert counts == [12 * 4, 6 * 2, 6 * 2 + 6]
    train_ids = {row['pid'] for row in rows if row['split'] == 'train'}
    assert len(train_ids) == 12 + 4


def test_training_and_testing_write_scores_and_images(folder):
    work_dir = folder / 'work_dirs' / 'own_data'
    scores, _ = read_scores(work_dir / 'metrics.json')
    assert {name.split('/')[0] for name in scores} == {'people_t2i', 'people_i2i'}
    assert all(0 <= score <= 100 for score in scores.values())
    assert (work_dir / 'epoch_2.pth').is_file()
    drawn = {path.name for path in (folder / 'work_dirs/found').iterdir()}
    assert drawn == {'people_t2i.png', 'people_i2i.png'}


def test_several_sources_can_be_trained_on(folder, monkeypatch):
    monkeypatch.chdir(folder)
    config = read_config('configs/own_sources.py')
    # The same layout exists already: saves rendering another dataset
    config.train_dataloader.dataset.datasets[1].data_root = 'data/people/CUHK-PEDES'
    assert find_problems(config) == []
    train = DATASETS.build(config.train_dataloader.dataset)
    assert train.num_ids == 12 + 8
    assert train.has_caption.sum() == 32
    test = DATASETS.build(config.test_dataloader.folders.dataset)
    cameras = {test.get_data_info(i)['camid'] for i in range(len(test))}
    assert min(cameras) >= 1
    assert len(test) == 12 + 12 + 6


def test_camera_rule_of_the_page(folder, monkeypatch):
    """The block without a file name modifies ``configs/own_data.py``."""
    monkeypatch.chdir(folder)
    (block,) = [t for _, t in BLOCK.findall(PAGE) if "same_camera='keep'" in t]
    config = read_config('configs/own_data.py')
    changed = Config.fromstring(block, '.py')
    config.merge_from_dict({'test_evaluator': changed.test_evaluator.to_dict()})
    assert config.test_evaluator.people_i2i.same_camera == 'keep'
    assert config.test_evaluator.people_t2i.task == 't2i'
    assert find_problems(config) == []
