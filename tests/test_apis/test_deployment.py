"""Exported models: features of every method, batches, 8 bits, and bad input."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hplreid.apis import ReIDInferencer
from hplreid.apis.benchmark_scores import score_benchmarks
from hplreid.apis.deployment import ExportError, export_onnx, quantize_onnx
from hplreid.apis.deployment.graphs import ImageGraph, make_captions, make_images
from hplreid.apis.trained_model import load_trained_model
from hplreid.utils.checkpoints.checkpoint import CheckpointError

from .trained import METHODS, READ_CAPTIONS

REASON = 'the extra onnx is not installed'
onnx = pytest.importorskip('onnx', reason=REASON)
pytest.importorskip('onnxscript', reason=REASON)
runtime = pytest.importorskip('onnxruntime', reason=REASON)
if torch.__version__ < '2.6':
    pytest.skip('needs torch 2.6', allow_module_level=True)

# One of each kind of tower; all of them with -m exhaustive
SAMPLED = ('BoT', 'HPL', 'PromptSG', 'TransReID (cameras)')
EACH = [
    pytest.param(m, marks=() if m in SAMPLED else pytest.mark.exhaustive)
    for m in METHODS
]


@pytest.fixture(scope='module')
def exported(tiny_runs, tmp_path_factory):
    """A function from the name of a method to its model and its exported folder."""
    folder = tmp_path_factory.mktemp('exported')
    made = {}

    def get(method):
        if method not in made:
            trained = load_trained_model(tiny_runs(method).checkpoint)
            out = folder / method.replace(' ', '_')
            made[method] = trained, out, export_onnx(trained, out)
        return made[method]

    return get


def make_files(folder, count):
    """Write images of noise; return their paths."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    for number in range(count):
        pixels = generator.integers(256, size=(40, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{number}.png')
    return sorted(map(str, folder.iterdir()))


@pytest.mark.parametrize('method', EACH)
def test_features_and_scores_are_those_of_pytorch(
    tiny_runs, exported, tmp_path, method
):
    run = tiny_runs(method)
    trained, out, said = exported(method)
    assert len(said) == 1 + (method in READ_CAPTIONS)
    options = dict(device='cpu', precision='fp32', batch_size=5, progress=False)
    plain = ReIDInferencer(run.checkpoint, **options)
    other = ReIDInferencer(out, **options)
    assert other.tasks == plain.tasks
    cameras = [0, 1, 1, 0, 0, 1] if 'cameras' in method else None
    paths = make_files(tmp_path / 'images', 6)  # batches of five and of one
    for task in plain.tasks:
        expected, found = (m.embed_images(paths, task, cameras) for m in (plain, other))
        assert np.abs(expected - found).max() < 1e-5
    if 't2i' in plain.tasks:
        captions = ['a man', 'a woman in a long red coat walks to the left', 'a bag']
        expected, found = (m.embed_texts(captions) for m in (plain, other))
        assert np.abs(expected - found).max() < 1e-5
    scores = score_benchmarks(other, trained.config)
    tested, _, _ = run.tested
    for name, values in scores.items():
        for key, value in values.items():
            assert value == pytest.approx(tested[f'{name}/{key}'], abs=0.01)
    assert {*scores} == {*run.tasks}


def test_metadata_say_what_the_graphs_are_of(exported):
    trained, out, _ = exported('HPL')
    session = runtime.InferenceSession(out / 'image.onnx')
    record = json.loads(session.get_modelmeta().custom_metadata_map['hplreid'])
    assert record['preprocessing']['mean'] == [0.48145466, 0.4578275, 0.40821073]
    assert record['preprocessing']['steps']['i2i'][1]['size'] == [32, 16]
    assert len(record['weights_sha256']) == 64
    assert 'TaskRoutedTransformer' in record['cfg']
    assert [o.name for o in session.get_outputs()] == ['i2i_feat', 't2i_feat']
    (images,) = session.get_inputs()
    assert (images.type, images.shape[1:]) == ('tensor(uint8)', [3, 32, 16])
    assert isinstance(images.shape[0], str)  # any batch


def test_the_graph_of_captions_reads_any_length(exported):
    trained, out, _ = exported('HPL')
    session = runtime.InferenceSession(out / 'text.onnx')
    tower = trained.model.text_encoder
    for count, length in ((1, 3), (2, 9), (4, tower.context_length)):
        captions = make_captions(count, length, tower.token_table.shape[0])
        (found,) = session.run(None, {'captions': captions.numpy()})
        with torch.no_grad():
            expected = tower(captions, ('t',))['t'].numpy()
        assert np.abs(found - expected).max() < 1e-5


def test_eight_bits_are_smaller_and_near(exported, tmp_path):
    trained, out, _ = exported('HPL')
    said = quantize_onnx(out, tmp_path / 'small')
    assert [line.split(': ')[0] for line in said] == [
        str(tmp_path / 'small' / name) for name in ('image.onnx', 'text.onnx')
    ]
    images = make_images(ImageGraph(trained.model), 4, (32, 16))[0].numpy()
    found = {}
    for folder in (out, tmp_path / 'small'):
        session = runtime.InferenceSession(folder / 'image.onnx')
        record = json.loads(session.get_modelmeta().custom_metadata_map['hplreid'])
        feats = session.run(['i2i_feat'], {'images': images})[0]
        feats /= np.linalg.norm(feats, axis=1, keepdims=True)
        found[record.get('quantized')] = feats
    cosines = (found[None] * found['int8, dynamic']).sum(axis=1)
    assert 0.99 < cosines.min() < 1 - 1e-7  # near, and not the same
    kinds = {n.op_type for n in onnx.load(tmp_path / 'small' / 'image.onnx').graph.node}
    assert 'MatMulInteger' in kinds
    assert 'Gemm' not in kinds  # every product of weights is of integers


def test_towers_of_convolutions_are_refused_for_eight_bits(exported, tmp_path):
    _, out, _ = exported('BoT')
    with pytest.raises(ExportError, match='convolutions'):
        quantize_onnx(out, tmp_path / 'small')
    assert not (tmp_path / 'small').exists()
    with pytest.raises(ExportError, match='a folder of its own'):
        quantize_onnx(out, out)
    with pytest.raises(ExportError, match='has no image.onnx'):
        quantize_onnx(tmp_path, tmp_path / 'small')


def test_graphs_that_differ_from_pytorch_are_not_written(
    exported, tmp_path, monkeypatch
):
    trained, _, _ = exported('HPL')
    monkeypatch.setattr('hplreid.apis.deployment.export._compare', lambda *_: 2e-4)
    with pytest.raises(ExportError, match='differ by 2.0e-04'):
        export_onnx(trained, tmp_path / 'out')
    assert [*(tmp_path / 'out').iterdir()] == []


def test_old_pytorch_is_refused(exported, tmp_path, monkeypatch):
    trained, _, _ = exported('HPL')
    monkeypatch.setattr(torch, '__version__', '2.5.1')
    with pytest.raises(ExportError, match='PyTorch 2.5.1 .* expected 2.6 or later'):
        export_onnx(trained, tmp_path / 'out')


def test_damaged_and_mixed_folders_are_refused(exported, tmp_path):
    _, out, _ = exported('HPL')
    _, other, _ = exported('BoT')
    mixed = tmp_path / 'mixed'
    mixed.mkdir()
    (mixed / 'image.onnx').write_bytes((other / 'image.onnx').read_bytes())
    (mixed / 'text.onnx').write_bytes((out / 'text.onnx').read_bytes())
    with pytest.raises(ExportError, match='different models'):
        ReIDInferencer(mixed)
    data = (out / 'image.onnx').read_bytes()
    (mixed / 'image.onnx').write_bytes(data[: len(data) // 2])
    with pytest.raises(ExportError, match='damaged'):
        ReIDInferencer(mixed)
    graph = onnx.load(out / 'image.onnx')
    del graph.metadata_props[:]
    onnx.save(graph, mixed / 'image.onnx')
    with pytest.raises(ExportError, match='says nothing of its model'):
        ReIDInferencer(mixed)


def test_a_config_in_a_graph_names_nothing_but_components(exported, tmp_path):
    _, out, _ = exported('BoT')
    graph = onnx.load(out / 'image.onnx')
    record = json.loads(graph.metadata_props[0].value)
    config = Config.fromstring(record['cfg'], '.py')
    config.model.type = 'subprocess.Popen'
    record['cfg'] = config.pretty_text
    graph.metadata_props[0].value = json.dumps(record)
    (tmp_path / 'hostile').mkdir()
    onnx.save(graph, tmp_path / 'hostile' / 'image.onnx')
    with pytest.raises(CheckpointError, match='Popen'):
        ReIDInferencer(tmp_path / 'hostile')
