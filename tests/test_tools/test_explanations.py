"""The tools of explanations as programs, on tiny SynthPeds and random weights."""

import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope

from hplreid.engine.config import inference_config, read_config
from hplreid.registry import MODELS
from hplreid.synthpeds import make_synthpeds

ROOT = Path(__file__).resolve().parents[2]
EXPLAIN = 'visualization/explain.py'
CHECK = 'analysis_tools/check_explanations.py'
CONFIGS = dict(
    hpl='configs/hpl/hpl_tiny_synthpeds.py',
    bot='configs/bot/bot_tiny_synthpeds.py',
    transreid='configs/transreid/transreid_tiny_synthpeds.py',
)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('explained')
    make_synthpeds(folder / 'peds', 'tiny', workers=1, progress=False)
    init_default_scope('hplreid')
    for name, path in CONFIGS.items():
        torch.manual_seed(0)
        config = inference_config(read_config(str(ROOT / path)))
        model = MODELS.build(config.model.to_dict())
        torch.save({'state_dict': model.state_dict()}, folder / f'{name}.pth')
    return folder


@pytest.fixture
def explain(call, data, tmp_path, monkeypatch):
    """Run a tool with a method's config; return its exit code and what it printed."""

    def explain(tool, name, *arguments, weights=None):
        peds = data / 'peds'
        options = [f'work_dir={tmp_path}']
        options.append(
            'test_dataloader.synthpeds_i2i.dataset.data_root='
            f'{peds / "Market-1501-v15.09.15"}'
        )
        if name == 'hpl':
            options.append(
                f'test_dataloader.synthpeds_t2i.dataset.data_root={peds / "CUHK-PEDES"}'
            )
        checkpoint = data / f'{weights or name}.pth'
        given = [CONFIGS[name], checkpoint, *arguments, '--cfg-options', *options]
        monkeypatch.chdir(ROOT)
        return call(tool, *given)

    return explain


@pytest.fixture
def images(data):
    return sorted((data / 'peds' / 'Market-1501-v15.09.15' / 'query').glob('*.jpg'))


def test_queries_of_a_benchmark_are_explained(explain, tmp_path):
    out = tmp_path / 'maps.png', tmp_path / 'maps.pdf'
    code, printed = explain(EXPLAIN, 'hpl', '--num', '2', '--out', *out)
    assert not code, printed
    assert all(path.stat().st_size > 5000 for path in out)


@pytest.mark.parametrize('name', CONFIGS)
def test_a_pair_is_explained(name, explain, images, tmp_path):
    pair = '--query', images[0], '--match', images[1]
    code, printed = explain(EXPLAIN, name, *pair, '--out', tmp_path / 'pair.svg')
    assert not code, printed
    text = (tmp_path / 'pair.svg').read_text()
    feature = {'hpl': 'u', 'bot': 'f_i', 'transreid': 'v_parts'}[name]
    assert text.count(f'>{feature}: ') == 2


def test_a_caption_and_its_phrases_are_explained(explain, images, tmp_path):
    out = tmp_path / 'caption.svg'
    caption = 'a man in a red coat and blue jeans'
    code, printed = explain(
        *(EXPLAIN, 'hpl', '--query', images[0], '--caption', caption),
        *('--words', 'blue jeans', 'red coat', '--out', out),
    )
    assert not code, printed
    text = out.read_text()
    assert text.index('>red coat<') < text.index('>blue jeans<')  # in its order
    assert all(f'>{word}<' in text for word in caption.split())


@pytest.mark.parametrize(
    ('name', 'arguments', 'message'),
    [
        ('bot', ['--token', 'u'], "has no token or feature 'u' of an image"),
        ('hpl', ['--token', 'w'], "no token or feature 'w' of an image: expected one"),
        ('bot', ['--caption', 'a man'], 'ImageReID compares no captions'),
        ('hpl', ['--caption', 'red ' * 90], 'has 92 tokens, start and end included'),
        ('hpl', ['--caption', 'a man', '--words', 'dog'], "The caption has no 'dog'"),
        ('bot', ['--kind', 'rollout'], 'Expected .gradient., which is Grad-CAM'),
        ('hpl', ['--out', 'map.bmp'], 'is of no format that figures are written in'),
    ],
)
def test_a_slip_is_said_in_words(name, arguments, message, explain, images, tmp_path):
    code, printed = explain(EXPLAIN, name, '--query', images[0], *arguments)
    assert code == 2, printed
    assert 'Traceback' not in printed
    assert re.search(message, printed), printed
    assert not list(tmp_path.glob('*.png'))


def test_what_is_missing_is_said_in_words(explain, images, tmp_path, data):
    code, printed = explain(EXPLAIN, 'hpl', '--query', images[0], weights='bot')
    assert code == 2
    assert "doesn't fit HPL" in printed
    code, printed = explain(EXPLAIN, 'hpl', '--query', images[0], weights='none')
    assert code == 2
    assert 'none.pth' in printed
    code, printed = explain(EXPLAIN, 'hpl', '--query', tmp_path / 'nobody.jpg')
    assert code == 2
    assert 'nobody.jpg' in printed
    strange = tmp_path / 'strange.jpg'
    shutil.copy(images[0], strange)
    code, printed = explain(EXPLAIN, 'transreid', '--query', strange)
    assert code == 2
    assert 'say its camera with --camera' in printed
    code, printed = explain(EXPLAIN, 'transreid', '--query', strange, '--camera', '1')
    assert not code, printed
    code, printed = explain(EXPLAIN, 'transreid', '--query', strange, '--camera', '9')
    assert code == 2
    assert 'Traceback' not in printed


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--match', 'a.jpg'], '1 --match for 0 --query'),
        (['--caption', 'x'], '--caption is explained with one --query'),
        (['--words', 'x'], '--words are of a --caption'),
        (['--num', '0'], '--num 0'),
        (['--query', 'a.jpg', '--camera', '1', '2'], 'one for each --query'),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments, message, explain):
    code, printed = explain(EXPLAIN, 'bot', *arguments)
    assert code == 2
    assert message in printed


@pytest.mark.parametrize('name', ['hpl', 'bot'])
def test_faithfulness_is_measured(name, explain, tmp_path):
    code, printed = explain(
        CHECK, name, '--num', '5', '--batch', '4', '--out', tmp_path
    )
    assert not code, printed
    kinds = ['gradient', 'rollout', 'attention', 'random']
    for kind in kinds if name == 'hpl' else ['gradient', 'random']:
        assert f'| {kind}' in printed
    assert ('| phrase' in printed) == (name == 'hpl')
    assert 'i2i: 4 of 5 images' in printed
    drawn = {path.name for path in tmp_path.glob('*.p*')}
    expected = {'synthpeds_i2i.png', 'synthpeds_i2i.pdf'}
    assert expected <= drawn
    assert ('synthpeds_t2i.png' in drawn) == (name == 'hpl')
    assert 'nan' not in printed


def test_maps_are_timed(capfd, monkeypatch):
    tool = str(ROOT / 'tools' / 'analysis_tools' / 'benchmark_explanations.py')
    arguments = [CONFIGS['hpl'], CONFIGS['bot'], '--batch', '2', '--rounds', '1']
    monkeypatch.setattr(sys, 'argv', [tool, *arguments])
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as done:
        runpy.run_path(tool, run_name='__main__')
    assert not done.value.code
    printed = capfd.readouterr().out
    rows = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in printed.splitlines()
        if '_tiny_' in line
    ]
    assert [row[1] for row in rows] == [
        *('features', 'rollout', 'gradient'),
        *('features', 'gradient'),
    ]
    assert all(float(row[2]) > 0 and float(row[4]) > 50 for row in rows)
