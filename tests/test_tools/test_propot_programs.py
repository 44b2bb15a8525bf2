"""Numbers of parameters and operations as published; the step benchmark."""

import functools
import importlib.util
import re

import pytest
from mmengine.registry import DefaultScope

from hplreid.engine.config.read import read_config
from hplreid.engine.config.resolve import forget_pretrained
from hplreid.engine.loops.stage import parse_stages
from hplreid.registry import MODELS

from .programs import ROOT, run_tool

NUM_IDS = 11003  # CUHK-PEDES
BASELINE = 'configs/propot/propot_vitb16_cuhk-pedes_baseline.py'
# Propot's Table 4: M parameters, G multiply-accumulates of a pair in training
TABLE_4 = {
    '_baseline': (155.26, 20.266),
    '_inipt': (155.26, 20.278),
    '_dpp': (203.48, 25.704),
    '_ipp-intra': (158.41, 23.058),
    '_ipp-inter': (158.41, 23.058),
    '_ipp': (158.41, 25.838),
    '_dpp-ipp': (206.64, 31.264),
    '': (245.91, 37.353),
}
# Published counts compute all tokens of the last blocks. Ours has only those that are
# read: for the others there are neither queries (1), output projection (1) and network
# (8 products of width x width), nor products with keys and values, nor projection
IMAGE_TOKENS = 192 * (10 * 768**2 + 2 * 193 * 768 + 768 * 512)
WORDS = 76 * (10 * 512**2 + 2 * 77 * 512 + 512 * 512)


@pytest.fixture(scope='module')
def tool():
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    path = ROOT / 'tools/analysis_tools/count_parameters.py'
    spec = importlib.util.spec_from_file_location('count_parameters', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.lru_cache
def count(tool, path, subset=None, **options):
    """Return parameters, and multiply-accumulates of a pair in training by part."""
    config = read_config(str(ROOT / path))
    forget_pretrained(config.model)
    settings = config.model.to_dict()
    settings.update(num_ids=NUM_IDS, **options)
    for head in settings['heads']['align']:
        if subset and head['type'] == 'PrototypeContrastHead':
            head['subset'] = subset
    with tool.WITHOUT_DATA:
        model = MODELS.build(settings)
        tool.initialize_prototypes(model)
    (stage,) = parse_stages(
        config.train_cfg.stages.to_dict(),
        config.optim_wrapper.to_dict(),
        config.train_dataloader.to_dict(),
    )
    macs, item = tool.macs_in_training(
        model, stage, config.model.image_encoder.img_size
    )
    assert item == 'pair'
    return tool.count(model), macs


@pytest.mark.parametrize('row', TABLE_4)
def test_rows_of_the_published_table(tool, row):
    # 'clean': captions are encoded twice, masked and not
    parameters, macs = count(
        tool,
        f'configs/propot/propot_vitb16_cuhk-pedes{row}.py',
        subset='all',
        train_captions='clean',
    )
    millions, giga = TABLE_4[row]
    assert parameters / 1e6 == pytest.approx(millions, abs=0.005)
    # The full method guesses masked words by the whole image
    unread = WORDS if row == '' else WORDS + IMAGE_TOKENS
    assert (macs['all'] + unread) / 1e9 == pytest.approx(giga, rel=0.01)


def test_towers_by_hand(tool):
    """Published counts include the products inside attention: 20.27, not 19.51."""
    _, macs = count(tool, BASELINE, subset='all', train_captions='clean')
    visual = 192 * 768 * 768 + 12 * 193 * 12 * 768**2 + 193 * 768 * 512
    text = 12 * 77 * 12 * 512**2 + 77 * 512 * 512
    products = 12 * 2 * 193**2 * 768, 12 * 2 * 77**2 * 512
    assert macs['image_encoder'] + IMAGE_TOKENS == visual + products[0]
    assert macs['text_encoder'] + WORDS == text + products[1]
    published = TABLE_4['_baseline'][1] * 1e9
    assert visual + text + sum(products) == pytest.approx(published, rel=2e-4)
    assert visual + text < 0.97 * published


def test_prototypes_of_the_batch_are_a_small_part_of_all(tool):
    """Leaving out identities that the loss doesn't use saves most operations."""
    path = 'configs/propot/propot_vitb16_cuhk-pedes_dpp-ipp.py'
    _, every = count(tool, path, subset='all', train_captions='clean')
    _, some = count(tool, path)
    assert some['heads'] < every['heads'] / 50


def test_counts_of_irra_match_the_published_table(tool):
    path = 'configs/irra/irra_vitb16_cuhk-pedes.py'
    parameters, macs = count(tool, path, train_captions='clean')
    assert parameters / 1e6 == pytest.approx(194.54, abs=0.005)
    mlm = TABLE_4[''][1] - TABLE_4['_dpp-ipp'][1]
    assert macs['all'] / 1e9 == pytest.approx(TABLE_4['_baseline'][1] + mlm, rel=0.01)
    # With masked captions for all losses the text tower runs once
    _, once = count(tool, path)
    assert once['text_encoder'] == (macs['text_encoder'] + WORDS) / 2
    assert once['image_encoder'] == macs['image_encoder']


def run(name, *arguments):
    table, printed = run_tool(name, *arguments)
    return {cells[0]: cells[1:] for cells in table}, printed


def test_counting_prints_training_and_test():
    rows, printed = run(
        'count_parameters.py',
        'configs/hpl/hpl_tiny_synthpeds_trt.py',
        *('--num-ids', '400', '--macs'),
    )
    assert rows['part'] == [
        'training',
        'test',
        "GMAC, 'align', a pair and 1 image(s)",
        'GMAC, test',
    ]
    towers = [float(rows[t][-1]) for t in ('image_encoder', 'text_encoder')]
    assert float(rows['all'][-1]) == pytest.approx(sum(towers), abs=0.0011)
    assert float(rows['image_encoder'][2]) == pytest.approx(2 * towers[0], abs=0.0011)
    assert [int(rows['heads'][i].replace(',', '')) > 0 for i in (0, 1)] == [True, False]
    assert '400 identities' in printed


def test_benchmark_compares_equal_losses():
    rows, printed = run(
        'benchmark_propot_step.py',
        'configs/propot/propot_tiny_synthpeds.py',
        *('--num-ids', '200', '--pairs', '8', '--channels', '16'),
        *('--rounds', '1', '--tower-pairs', '2'),
    )
    kept = {s: float(rows[s][2].replace(',', '')) for s in ('batch_ids', 'all')}
    assert kept['all'] > 5 * kept['batch_ids'] > 0
    assert float(rows['(towers)'][0]) > 0
    losses, gradients = map(float, re.findall(r'by (\d\.\de[+-]\d\d)', printed))
    assert losses < 1e-4
    assert gradients < 1e-3
