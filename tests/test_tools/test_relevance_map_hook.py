"""Maps of relevance in a test of a run, read back by TensorBoard's own reader."""

import io
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer
from PIL import Image

from hplreid.engine.config import inference_config, read_config
from hplreid.engine.hooks import RelevanceMapHook
from hplreid.registry import MODELS
from hplreid.synthpeds import make_synthpeds
from hplreid.utils.user_error import UserError

reader = pytest.importorskip(
    'tensorboard.backend.event_processing.event_accumulator',
    reason='tensorboard is an extra',
)

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / 'configs/hpl/hpl_tiny_synthpeds.py')


def test_both_class_tokens_of_each_benchmark_reach_the_backends(
    tmp_path, monkeypatch, capfd
):
    peds = tmp_path / 'peds'
    make_synthpeds(peds, 'tiny', workers=1, progress=False)
    init_default_scope('hplreid')
    torch.manual_seed(0)
    model = MODELS.build(inference_config(read_config(CONFIG)).model.to_dict())
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'hpl.pth')
    market, cuhk = peds / 'Market-1501-v15.09.15', peds / 'CUHK-PEDES'
    arguments = [
        *(CONFIG, str(tmp_path / 'hpl.pth'), '--work-dir', str(tmp_path / 'work')),
        *('--tag', 'maps', '--cfg-options', f'data_preparers.0.out={peds}'),
        'data_preparers.0.size=tiny',
        f'image_cache={peds}/cache',
        f'test_dataloader.synthpeds_i2i.dataset.data_root={market}',
        f'test_dataloader.synthpeds_t2i.dataset.data_root={cuhk}',
        f'train_dataloader.dataset.i2i.data_root={market}',
        f'train_dataloader.dataset.t2i.data_root={cuhk}',
        'default_hooks.maps.type=RelevanceMapHook',
        'default_hooks.maps.num_images=3',
        'visualizer.vis_backends.0.type=TensorboardVisBackend',
    ]
    for kept in (MMLogger, MessageHub, Visualizer):
        kept._instance_dict.clear()
    monkeypatch.setattr(sys, 'argv', ['test.py', *arguments])
    monkeypatch.chdir(ROOT)
    code = None
    try:
        runpy.run_path(str(ROOT / 'tools/test.py'), run_name='__main__')
    except SystemExit as error:
        code = error.code
    assert not code, capfd.readouterr()
    Visualizer.get_current_instance().close()
    (path,) = tmp_path.rglob('events.out.tfevents.*')
    events = reader.EventAccumulator(str(path))
    events.Reload()
    (maps,) = tmp_path.rglob('relevance_maps')
    pages = {}
    for task in ('i2i', 't2i'):
        (page,) = events.Images(f'relevance_maps_synthpeds_{task}')
        with Image.open(io.BytesIO(page.encoded_image_string)) as found:
            pages[task] = np.asarray(found.convert('RGB')).astype(int)
        with Image.open(maps / f'synthpeds_{task}.png') as file:
            kept = np.asarray(file.convert('RGB')).astype(int)
        assert pages[task].shape == kept.shape
        assert np.abs(pages[task] - kept).mean() < 1
        # Of three images, the image itself and its maps for v and u: three columns
        height, width = kept.shape[:2]
        assert height > width
        assert len(np.unique(kept.reshape(-1, 3), axis=0)) > 500
    assert not np.array_equal(pages['i2i'], pages['t2i'])


def test_wrong_arguments_and_loops_are_errors():
    for wrong in (dict(num_images=0), dict(kind='saliency')):
        with pytest.raises(ValueError, match='RelevanceMapHook: .*expected 1 or more'):
            RelevanceMapHook(**wrong)

    class Runner:
        test_loop = object()

    with pytest.raises(UserError, match="needs test_cfg=dict.type='BenchmarkLoop'"):
        RelevanceMapHook().after_test_epoch(Runner)


@pytest.mark.parametrize('method', ['hpl', 'irra', 'transreid', 'bot'])
def test_no_run_draws_maps_unless_it_is_asked_to(method):
    config = read_config(str(ROOT / f'configs/{method}/{method}_tiny_synthpeds.py'))
    hooks = [*config.default_hooks.values(), *config.custom_hooks]
    kinds = [hook['type'] for hook in hooks if hook]
    assert 'RankedListHook' in kinds
    assert 'RelevanceMapHook' not in kinds
