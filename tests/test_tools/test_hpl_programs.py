"""HPL on SynthPeds by the command-line tools: train, resume, test, publish."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from hplreid.evaluation import FeatureSet

from .programs import run

CONFIG = 'configs/hpl/hpl_tiny_synthpeds.py'


@pytest.fixture(scope='module')
def options(tmp_path_factory):
    """Options for the smallest SynthPeds and two short epochs per stage."""
    data = tmp_path_factory.mktemp('data') / 'synthpeds'
    market = f'{data}/Market-1501-v15.09.15'
    cuhk = f'{data}/CUHK-PEDES'
    return [
        '--cfg-options',
        f'data_preparers.0.out={data}',
        'data_preparers.0.size=tiny',
        f'image_cache={data}/cache',
        f'train_dataloader.dataset.t2i.data_root={cuhk}',
        f'train_dataloader.dataset.i2i.data_root={market}',
        f'test_dataloader.synthpeds_i2i.dataset.data_root={market}',
        f'test_dataloader.synthpeds_t2i.dataset.data_root={cuhk}',
        'train_dataloader.batch_size=16',
        'train_dataloader.sampler.num_pairs=8',
        'train_dataloader.sampler.num_ids=4',
        'train_dataloader.sampler.num_instances=2',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'train_cfg.stages.construct.epochs=2',
        'train_cfg.stages.align.epochs=2',
        'train_cfg.stages.align.param_scheduler.1.begin=1',
        'default_hooks.checkpoint.max_keep_ckpts=9',
        'default_hooks.logger.interval=1',
    ]


@pytest.fixture(scope='module')
def full_run(options, tmp_path_factory):
    """An uninterrupted run."""
    work_dir = tmp_path_factory.mktemp('full')
    done = run('train.py', CONFIG, '--work-dir', work_dir, *options)
    return work_dir, done.stdout + done.stderr


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_a_run_writes_scores_and_ranked_lists(full_run):
    work_dir, printed = full_run
    metrics = json.loads((work_dir / 'metrics.json').read_text())
    expected = {
        f'synthpeds_{task}/{m}'
        for task in ('i2i', 't2i')
        for m in ('mAP', 'mINP', 'R1', 'R5', 'R10')
    }
    assert set(metrics) == expected
    assert all(0 <= v <= 100 for v in metrics.values())
    for task in ('i2i', 't2i'):
        with Image.open(work_dir / 'ranked_lists' / f'synthpeds_{task}.png') as image:
            assert min(image.size) > 300
    assert "Stage 'construct' (1 of 2)" in printed
    assert "Stage 'align' (2 of 2)" in printed
    assert 'TaskRoutedTransformer: loaded all' in printed
    assert 'step 1/' in printed
    (log,) = work_dir.glob('*/*.log')
    for loss in ('loss_prompt_contrast_i2t', 'loss_sdm', 'loss_prompt_regularization'):
        assert loss in log.read_text()


@pytest.mark.parametrize('epoch', [1, 3], ids=['in stage I', 'in stage II'])
def test_a_resumed_run_has_the_same_weights(full_run, options, epoch, tmp_path):
    work_dir, _ = full_run
    checkpoint = work_dir / f'epoch_{epoch}.pth'
    run(
        'train.py',
        CONFIG,
        '--work-dir',
        tmp_path,
        '--resume',
        checkpoint,
        '--no-test',
        *options,
    )
    resumed, full = (weights(d / 'epoch_4.pth') for d in (tmp_path, work_dir))
    assert resumed.keys() == full.keys()
    for name, value in full.items():
        assert torch.equal(value, resumed[name]), name


def test_a_test_has_the_scores_of_the_run(full_run, options, tmp_path):
    work_dir, _ = full_run
    checkpoint = work_dir / 'epoch_4.pth'
    done = run('test.py', CONFIG, checkpoint, '--work-dir', tmp_path, *options)
    expected = json.loads((work_dir / 'metrics.json').read_text())
    metrics = json.loads((tmp_path / 'metrics.json').read_text())
    assert metrics == pytest.approx(expected, abs=1e-4)
    assert 'synthpeds_t2i' in done.stdout + done.stderr


def test_tta_averages_mirror_images(full_run, options, tmp_path):
    work_dir, _ = full_run
    done = run(
        'test.py',
        *(CONFIG, work_dir / 'epoch_4.pth', '--tta'),
        *('--work-dir', tmp_path, '--dump-features', tmp_path / 'feats'),
        *options,
    )
    printed = done.stdout + done.stderr
    assert 'test-time augmentation: flip' in printed
    assert 'trained on: synthpeds_t2i+synthpeds_i2i' in printed
    feats = FeatureSet.load(tmp_path / 'feats' / 'synthpeds_i2i.npz')
    # The mean of two normalized features that differ a little
    lengths = np.linalg.norm(feats.query_feats, axis=1)
    assert (lengths <= 1 + 1e-5).all()
    assert 0.5 < lengths.min() < 0.9999
    assert (tmp_path / 'feats' / 'synthpeds_t2i.npz').is_file()


def test_stages_train_what_they_should(full_run):
    work_dir, _ = full_run
    start, construct, align = (weights(work_dir / f'epoch_{e}.pth') for e in (1, 2, 4))

    def moved(before, after, prefix):
        return any(
            not torch.equal(v, after[k])
            for k, v in before.items()
            if k.startswith(prefix)
        )

    for part in ('prompt_learner.id_tokens', 'image_inversion', 'text_inversion'):
        assert moved(start, construct, part)
        assert not moved(construct, align, part)
    for part in ('image_encoder', 'text_encoder', 'heads.align'):
        assert not moved(start, construct, part)
        assert moved(construct, align, part)
    assert not moved(start, align, 'prompt_encoder')


def test_all_missing_files_are_reported_at_once(tmp_path):
    done = run(
        'train.py',
        'configs/hpl/hpl_vitb16_joint.py',
        '--work-dir',
        tmp_path / 'run',
        '--cfg-options',
        'model.image_encoder.pretrained=/nowhere/clip.pt',
        check=False,
    )
    message = done.stdout + done.stderr
    assert done.returncode == 2
    for part in ('/nowhere/clip.pt', 'CUHK-PEDES', 'Market-1501', '3 problems'):
        assert part in message, message
    assert 'Traceback' not in message
    assert not (tmp_path / 'run').exists()


def test_published_towers_have_the_weights_of_the_run(full_run, tmp_path):
    work_dir, _ = full_run
    out = tmp_path / 'clip.safetensors'
    run('model_converters/publish_clip.py', work_dir / 'epoch_4.pth', out)
    from hplreid.models.backbones import CLIPImageEncoder, CLIPTextEncoder

    image = CLIPImageEncoder('ViT-Ti-16-synthpeds', str(out), img_size=(128, 64))
    text = CLIPTextEncoder('ViT-Ti-16-synthpeds', str(out))
    trained = weights(work_dir / 'epoch_4.pth')
    for tower, name in ((image, 'image_encoder'), (text, 'text_encoder')):
        for key, value in tower.state_dict().items():
            expected = trained[f'{name}.{key}'].half().float()
            torch.testing.assert_close(value, expected, rtol=0, atol=0, msg=key)


def test_numbers_of_parameters_are_those_of_the_paper():
    """Sizes of parts that follow from the paper, within 1 %."""
    done = run(
        'analysis_tools/count_parameters.py',
        'configs/hpl/hpl_vitb16_joint.py',
        '--num-ids',
        '11754',
    )
    rows = {
        cells[1].strip(): [int(c.replace(',', '')) for c in cells[2:4]]
        for cells in (line.split('|') for line in done.stdout.splitlines())
        if len(cells) > 3 and cells[2].strip().replace(',', '').isdigit()
    }
    towers = rows['image_encoder'][0] + rows['text_encoder'][0]
    assert towers == pytest.approx(149.6e6, rel=0.01)
    assert rows['all'][1] == pytest.approx(149.6e6, rel=0.01)
    assert rows['prompt_encoder'] == pytest.approx([38.2e6, 0], rel=0.01)
    assert rows['prompt_learner'][0] == pytest.approx(4 * 512 * 11754, rel=0.01)
    assert rows['heads'][0] == pytest.approx(2 * 512 * 11754, rel=0.01)
    # The blocks of the inversion networks are 25.2 M; see test_inversion for them alone
    whole = 149.6e6 + 38.2e6 + 25.2e6 + 4 * 512 * 11754 + 2 * 512 * 11754
    assert rows['all'][0] == pytest.approx(whole, rel=0.01)


def test_step_benchmark_compares_equal_losses():
    done = run(
        'analysis_tools/benchmark_hpl_step.py',
        CONFIG,
        '--pairs',
        '4',
        '--ids',
        '2',
        '--num-ids',
        '8',
        '--rounds',
        '1',
        '--precision',
        'fp32',
    )
    rows = [r.split('|') for r in done.stdout.splitlines() if r.count('|') > 4][1:]
    assert [r[1].strip() for r in rows] == ['construct', 'align']
    for row in rows:
        assert float(row[4]) > 0
        assert float(row[5]) < 1e-4


def test_fetching_unknown_weights_lists_known_tags():
    done = run(
        'model_converters/fetch_weights.py', 'ViT-B-16-quickgelu', 'nope', check=False
    )
    assert done.returncode == 2
    assert 'Known tags' in done.stderr
    assert 'openai' in done.stderr
