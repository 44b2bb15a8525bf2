"""All that MIM lists of the project exists and is well formed."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
INDEX = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
METAFILES = [ROOT / name for name in INDEX['Import']]
BENCHMARK_TASKS = ('Image-to-Image Retrieval', 'Text-to-Image Retrieval')


def read(path):
    return yaml.safe_load(path.read_text('utf-8'))


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


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_models_belong_to_their_folder_and_have_a_config(path):
    collections = [collection['Name'] for collection in read(path)['Collections']]
    for model in read(path)['Models']:
        config = ROOT / model['Config']
        assert config.is_file(), model
        assert config.parent == path.parent, model
        assert config.stem == model['Name'], model
        assert model['In Collection'] in collections, model


@pytest.mark.parametrize('path', METAFILES, ids=lambda p: p.parent.name)
def test_results_are_percentages_of_known_tasks(path):
    for model in read(path)['Models']:
        for result in model.get('Results', []):
            assert result['Task'] in BENCHMARK_TASKS, model
            assert result['Dataset'], model
            assert all(0 <= value <= 100 for value in result['Metrics'].values()), model


def test_names_are_unique():
    names = [model['Name'] for path in METAFILES for model in read(path)['Models']]
    assert len(set(names)) == len(names)
