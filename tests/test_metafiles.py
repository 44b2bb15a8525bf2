"""What MIM lists of the project exists and is well formed."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
METAFILES = [ROOT / name for name in INDEX['Import']]
BENCHMARK_TASKS = ('Image-to-Image Retrieval', 'Text-to-Image Retrieval')


def read(path):
    return yaml.safe_load(path.read_text('utf-8'))


def models():
    return [(path, model) for path in METAFILES for model in read(path)['Models']]


def str_of(value):
    """Name of a case: that of the model."""
    return value['Name'] if isinstance(value, dict) else value.parent.name


def test_index_names_every_metafile():
    written = {*(ROOT / 'configs').rglob('metafile.yml')}
    written |= {*(ROOT / 'projects').rglob('metafile.yml')}
    assert sorted(METAFILES) == sorted(written)


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_every_config_of_the_folder_is_listed(path):
    listed = sorted(model['Name'] for model in read(path)['Models'])
    assert listed == sorted(config.stem for config in path.parent.glob('*.py'))


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_collections_name_files_of_the_repository(path):
    for collection in read(path)['Collections']:
        assert collection['Paper']['Title']
        assert collection['Paper']['URL'].startswith('https://')
        assert (ROOT / collection['README']).is_file()
        assert (ROOT / collection['Code']['URL']).is_file()


@pytest.mark.parametrize(('path', 'model'), models(), ids=str_of)
def test_model_belongs_to_its_folder_and_has_a_config(path, model):
    config = ROOT / model['Config']
    assert config.is_file(), f'{model["Name"]}: no {model["Config"]}'
    assert config.parent == path.parent
    assert config.stem == model['Name']
    assert model['In Collection'] in [c['Name'] for c in read(path)['Collections']]


@pytest.mark.parametrize(('path', 'model'), models(), ids=str_of)
def test_results_are_percentages_of_known_tasks(path, model):
    for result in model.get('Results', []):
        assert result['Task'] in BENCHMARK_TASKS
        assert result['Dataset']
        assert all(0 <= value <= 100 for value in result['Metrics'].values())


def test_names_are_unique():
    names = [model['Name'] for _, model in models()]
    assert len(set(names)) == len(names)
