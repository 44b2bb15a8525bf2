"""The people of a training set are told from others with the same numbers."""

import shutil

import pytest

from hplreid.datasets import Market1501
from hplreid.engine.identity_map import fingerprint_identities
from hplreid.engine.load_from import is_same_training_set
from hplreid.engine.loops.feature_cache import CachedFeatures
from tests.helpers import make_market


def read(root):
    return Market1501(str(root), expected=None)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return make_market(tmp_path_factory.mktemp('market') / 'a')


def meta_of(dataset):
    return dict(
        dataset_meta=dataset.metainfo, identities=fingerprint_identities(dataset)
    )


def test_a_copy_has_the_same_people(root, tmp_path):
    dataset = read(root)
    copy = read(shutil.copytree(root, tmp_path / 'b'))
    assert is_same_training_set(meta_of(dataset), copy)
    assert is_same_training_set(meta_of(dataset), CachedFeatures(copy, ['v']))


def test_others_with_the_same_numbers_and_names_of_files(root, tmp_path):
    others = shutil.copytree(root, tmp_path / 'b')
    images = sorted((others / 'bounding_box_train').iterdir())
    for image in images:
        image.write_bytes(image.read_bytes() + b'\0')
    dataset, others = read(root), read(others)
    assert dataset.metainfo == others.metainfo
    assert not is_same_training_set(meta_of(dataset), others)


def test_a_file_that_does_not_say_its_images(root):
    dataset = read(root)
    assert is_same_training_set(dict(dataset_meta=dataset.metainfo), dataset)
    assert not is_same_training_set({}, dataset)


def test_a_dataset_without_images_has_none():
    assert fingerprint_identities([1, 2]) is None
