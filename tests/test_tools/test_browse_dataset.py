"""tools/visualization/browse_dataset.py as a program, on tiny trees."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hplreid.datasets import JointDataset, JointSampler, reid_collate
from hplreid.models import ReIDDataPreprocessor
from tests.helpers import make_cuhk_pedes, make_market

ROOT = Path(__file__).resolve().parents[2]
TOOL = str(ROOT / 'tools' / 'visualization' / 'browse_dataset.py')
PLAIN = [
    {'type': 'LoadImage'},
    {'type': 'ResizeImage', 'size': (64, 32)},
    {'type': 'TokenizeCaption'},
    {'type': 'PackReIDInputs'},
]
RANDOM = [
    *PLAIN[:2],
    {'type': 'RandomFlip'},
    {'type': 'RandomErasing', 'prob': 1.0},
    {'type': 'EDACaption', 'delete': 0.2},
    PLAIN[2],
    {'type': 'MaskCaption', 'prob': 0.5, 'replace': False},
    PLAIN[3],
]
SAMPLER = {
    'type': 'JointSampler',
    'num_pairs': 4,
    'num_ids': 2,
    'num_instances': 2,
    'balance_cameras': True,
}


@pytest.fixture
def config(tmp_path):
    """A config of two stages, whose model needs weights that aren't there."""
    t2i = {'type': 'CUHKPEDES', 'expected': None}
    i2i = {'type': 'Market1501', 'expected': None}
    t2i['data_root'] = str(make_cuhk_pedes(tmp_path / 'cuhk', num_ids=4))
    i2i['data_root'] = str(make_market(tmp_path / 'market', num_ids=4))
    joint = {'type': 'JointDataset', 't2i': t2i, 'i2i': i2i, 'leak': 'none'}
    optimizer = {'optimizer': {'type': 'SGD', 'lr': 0.1}}
    plain = {'train_dataloader': {'dataset': {'pipeline': PLAIN}}}
    config = {
        'default_scope': 'hplreid',
        'model': {'type': 'HPL', 'image_encoder': {'pretrained': '/nowhere/clip.pt'}},
        'optim_wrapper': optimizer,
        'train_dataloader': {
            'batch_size': 8,
            'num_workers': 2,
            'persistent_workers': True,
            'collate_fn': {'type': 'reid_collate'},
            'sampler': SAMPLER,
            'dataset': {**joint, 'pipeline': RANDOM},
        },
        'train_cfg': {
            'stages': {
                'first': {'epochs': 2, 'trainable': ['a'], **plain},
                'second': {'epochs': 3, 'trainable': ['a']},
            }
        },
        'test_dataloader': {
            'words': {
                'batch_size': 4,
                'collate_fn': {'type': 'reid_collate'},
                'dataset': {**t2i, 'split': 'test', 'pipeline': PLAIN},
            }
        },
        'randomness': {'seed': 5},
    }
    path = tmp_path / 'toy.py'
    Config(config).dump(path)
    return path, joint


@pytest.fixture
def browse(monkeypatch, capsys, tmp_path):
    """Run the tool; return what it exits with, what it printed and the image."""

    def browse(config, *arguments):
        out = tmp_path / 'sheets' / 'sheet.png'
        out.unlink(missing_ok=True)
        call = [TOOL, str(config), '--out', str(out), *map(str, arguments)]
        monkeypatch.setattr(sys, 'argv', call)
        code = None
        try:
            runpy.run_path(TOOL, run_name='__main__')
        except SystemExit as error:
            code = error.code
        image = None
        if out.exists():
            assert [p.name for p in out.parent.iterdir()] == ['sheet.png']
            with Image.open(out) as file:
                image = np.asarray(file.convert('RGB'))
        return code, capsys.readouterr(), image

    return browse


def first_batch(joint, pipeline, epoch):
    """What a run of seed 5 gives its model, worked out without the tool."""
    dataset = JointDataset(**{k: joint[k] for k in joint if k != 'type'})
    options = {k: v for k, v in SAMPLER.items() if k != 'type'}
    sampler = JointSampler(dataset, 5, **options)
    sampler.set_epoch(epoch)
    dataset = JointDataset(
        **{k: joint[k] for k in joint if k != 'type'}, pipeline=pipeline
    )
    samples = [dataset[item] for item in list(sampler)[:8]]
    images = ReIDDataPreprocessor()(reid_collate(samples))['inputs']['images']
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    return ((images * std + mean) * 255).round().permute(0, 2, 3, 1).numpy()


def contains(sheet, image):
    """Whether an image of 64 x 32 is on the sheet, at four times its size."""
    large = image.astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    height, width = sheet.shape[0] - 255, sheet.shape[1] - 127
    fits = np.ones((height, width), bool)
    for y, x in ((0, 0), (255, 0), (0, 127), (255, 127), (128, 64)):
        fits &= (sheet[y : y + height, x : x + width] == large[y, x]).all(-1)
    return any(
        np.array_equal(sheet[y : y + 256, x : x + 128], large)
        for y, x in np.argwhere(fits)
    )


@pytest.mark.parametrize(
    ('arguments', 'pipeline', 'epoch', 'name'),
    [
        ((), RANDOM, 2, "stage 'second', epoch 3"),
        (('--epoch', 5), RANDOM, 4, "stage 'second', epoch 5"),
        (('--stage', 'first'), PLAIN, 0, "stage 'first', epoch 1"),
        (('--epoch', 2), PLAIN, 1, "stage 'first', epoch 2"),
    ],
)
def test_the_sheet_shows_the_batch_of_a_run(
    browse, config, arguments, pipeline, epoch, name
):
    path, joint = config
    code, printed, sheet = browse(path, '--num', 8, *arguments)
    assert code is None
    assert name in printed.out
    expected = first_batch(joint, pipeline, epoch)
    assert len(expected) == 8
    assert all(contains(sheet, image) for image in expected)
    other = first_batch(joint, RANDOM, epoch + 1)
    assert not all(contains(sheet, image) for image in other)


def test_fewer_samples_are_taken_from_both_parts(browse, config):
    path, joint = config
    _, _, sheet = browse(path, '--num', 4)
    shown = [contains(sheet, p) for p in first_batch(joint, RANDOM, 2)]
    assert shown[:2] == [True, True]
    assert shown[4:6] == [True, True]


def test_a_benchmark_has_queries_and_gallery(browse, config):
    path, _ = config
    code, printed, sheet = browse(path, '--split', 'words', '--num', 6)
    assert code is None
    assert "benchmark 'words'" in printed.out
    assert sheet.min() < 60 < 250 < sheet.max()
    whole = browse(path, '--split', 'words', '--num', 60)[2]
    assert whole.shape[0] > sheet.shape[0]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--split', 'nope'), "--split nope: expected one of ['train', 'words']."),
        (('--stage', 'third'), "--stage third: the config has 'first' (epochs 1 to 2)"),
        (('--epoch', 6), "--epoch 6: the config has 'first' (epochs 1 to 2), 'second'"),
        (('--stage', 'first', '--epoch', 3), '--stage first --epoch 3: the config has'),
        (
            ('--cfg-options', 'train_dataloader.dataset.i2i.data_root=/nowhere'),
            "folder '/nowhere' does not exist",
        ),
        (
            (
                '--cfg-options',
                'train_dataloader.sampler.num_ids=9',
                'train_dataloader.batch_size=22',
            ),
            'A batch of 9 identities was asked for; the dataset has 4.',
        ),
    ],
)
def test_what_can_not_be_drawn_says_why(browse, config, arguments, message):
    code, printed, sheet = browse(config[0], *arguments)
    assert code == 2
    assert message in printed.err
    assert sheet is None


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--num', 0), '--num must be at least 1, got 0'),
        (('--split', 'words', '--epoch', 1), '--stage and --epoch are for training'),
    ],
)
def test_wrong_flags(browse, config, arguments, message):
    code, printed, _ = browse(config[0], *arguments)
    assert code == 2
    assert message in printed.err
