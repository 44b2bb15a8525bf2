"""Tests of every benchmark: order, unusual paths, links, empty and damaged files."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from hplreid.datasets import (
    CUHK03NP,
    CUHKPEDES,
    ICFGPEDES,
    MSMT17,
    BaseReIDDataset,
    CaptionSampler,
    DukeMTMCReID,
    EmptySplitError,
    IdentitySampler,
    Market1501,
    MissingDataError,
    RSTPReid,
    UnreadableImageError,
)
from tests.benchmark_trees import (
    make_cuhk03_np,
    make_duke,
    make_icfg_pedes,
    make_merged_msmt17,
    make_msmt17,
    make_rstpreid,
)
from tests.helpers import make_cuhk_pedes, make_market

ICFG = {'train': ['train/0001', 'test/0001'], 'test': ['train/0002']}


class Benchmark(NamedTuple):
    cls: type[BaseReIDDataset]
    make: Callable[[Path], Path]
    annotation: str | None = None

    def load(self, root, split='train', **options):
        return self.cls(str(root), split, **{'expected': None, **options})


BENCHMARKS = {
    'market1501': Benchmark(Market1501, make_market),
    'dukemtmc': Benchmark(DukeMTMCReID, make_duke),
    'cuhk03-np': Benchmark(CUHK03NP, make_cuhk03_np),
    'msmt17': Benchmark(MSMT17, make_msmt17),
    'msmt17-merged': Benchmark(MSMT17, make_merged_msmt17),
    'cuhk-pedes': Benchmark(CUHKPEDES, make_cuhk_pedes, 'reid_raw.json'),
    'icfg-pedes': Benchmark(
        ICFGPEDES, lambda root: make_icfg_pedes(root, ICFG), 'ICFG-PEDES.json'
    ),
    'rstpreid': Benchmark(RSTPReid, make_rstpreid, 'data_captions.json'),
}
CAPTIONED = {name: b for name, b in BENCHMARKS.items() if b.annotation}


def each(benchmarks):
    return pytest.mark.parametrize('benchmark', benchmarks.values(), ids=benchmarks)


def items_of(dataset, root):
    """Return the items with paths relative to ``root``."""
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    return [
        dict(i, img_path=i['img_path'] and os.path.relpath(i['img_path'], root))
        for i in items
    ]


@each(BENCHMARKS)
def test_order_does_not_depend_on_the_file_system(benchmark, tmp_path, monkeypatch):
    root = benchmark.make(tmp_path)
    expected = {s: benchmark.load(root, s) for s in benchmark.cls.splits}
    listdir = os.listdir

    def shuffled(path):
        names = sorted(listdir(path))
        return random.Random(5).sample(names, len(names))

    monkeypatch.setattr(os, 'listdir', shuffled)
    for split, before in expected.items():
        after = benchmark.load(root, split)
        assert items_of(after, root) == items_of(before, root)
        assert after.metainfo == before.metainfo


@each(CAPTIONED)
def test_order_does_not_depend_on_the_annotation(benchmark, tmp_path):
    root = benchmark.make(tmp_path)
    before = {s: benchmark.load(root, s) for s in benchmark.cls.splits}
    file = root / benchmark.annotation
    entries = json.loads(file.read_text())
    file.write_text(json.dumps(random.Random(5).sample(entries, len(entries))))
    for split, dataset in before.items():
        assert items_of(benchmark.load(root, split), root) == items_of(dataset, root)


@each(BENCHMARKS)
def test_labels_are_contiguous_and_splits_are_disjoint(benchmark, tmp_path):
    root = benchmark.make(tmp_path)
    sets = {split: benchmark.load(root, split) for split in benchmark.cls.splits}
    train = sets.pop('train')
    assert sorted(set(train.labels.tolist())) == list(range(train.num_ids))
    assert list(train.metainfo['label_of']) == sorted(train.metainfo['label_of'])
    trained = set(train.metainfo['label_of'])
    for dataset in sets.values():
        assert set(dataset.labels.tolist()) == {-1}
        assert not trained & {i['pid'] for i in items_of(dataset, root)}


@each(BENCHMARKS)
def test_paths_with_unicode_spaces_and_links(benchmark, tmp_path):
    plain = benchmark.make(tmp_path / 'plain')
    odd = benchmark.make(tmp_path / 'données 人 & co')
    link = tmp_path / 'a link'
    link.symlink_to(odd, target_is_directory=True)
    for split in benchmark.cls.splits:
        expected = items_of(benchmark.load(plain, split), plain)
        for root in (odd, link):
            dataset = benchmark.load(root, split, verify=True)
            assert items_of(dataset, root) == expected
            # The link is not resolved: its target may move
            path = next(filter(None, (i['img_path'] for i in dataset._items)))
            assert path.startswith(str(root))


@each(BENCHMARKS)
def test_linked_images_and_dangling_links(benchmark, tmp_path):
    root = benchmark.make(tmp_path / 'data')
    path = Path(benchmark.load(root).get_data_info(0)['img_path'])
    path.rename(tmp_path / 'elsewhere')
    path.symlink_to(tmp_path / 'elsewhere')
    assert benchmark.load(root, verify=True).get_data_info(0)['img_path'] == str(path)
    (tmp_path / 'elsewhere').unlink()
    with pytest.raises(UnreadableImageError, match=path.name):
        benchmark.load(root, verify=True)


@each(BENCHMARKS)
def test_verify_lists_empty_files_and_files_that_are_no_images(benchmark, tmp_path):
    root = benchmark.make(tmp_path)
    paths = sorted({i['img_path'] for i in benchmark.load(root)._items})
    Path(paths[0]).write_bytes(b'')
    Path(paths[1]).write_text('<html>404</html>')
    assert len(benchmark.load(root)) >= 2  # files are only decoded if verify=True
    with pytest.raises(UnreadableImageError, match=f'2 of {len(paths)} images') as e:
        benchmark.load(root, verify=True)
    assert all(os.path.basename(path) in str(e.value) for path in paths[:2])


@each(BENCHMARKS)
def test_data_root_must_be_a_folder(benchmark, tmp_path):
    (tmp_path / 'data').touch()
    with pytest.raises(MissingDataError, match=f"{benchmark.cls.benchmark}: folder '"):
        benchmark.load(tmp_path / 'data')


@each(CAPTIONED)
def test_split_without_entries_is_an_error(benchmark, tmp_path):
    root = benchmark.make(tmp_path)
    file = root / benchmark.annotation
    entries = [e for e in json.loads(file.read_text()) if e['split'] == 'test']
    file.write_text(json.dumps(entries))
    with pytest.raises(EmptySplitError, match="split 'train' of .* is empty"):
        benchmark.load(root)
    assert len(benchmark.load(root, 'test')) > 0


def test_empty_lists_are_an_error(tmp_path):
    root = make_msmt17(tmp_path)
    for name in ('list_train.txt', 'list_val.txt'):
        (root / name).write_text('\n\n')
    with pytest.raises(EmptySplitError, match="split 'train' of .* is empty"):
        BENCHMARKS['msmt17'].load(root)


@each(BENCHMARKS)
def test_samplers_accept_the_dataset(benchmark, tmp_path):
    dataset = benchmark.load(benchmark.make(tmp_path))
    if dataset.has_caption.any():
        assert len(list(CaptionSampler(dataset, seed=0, batch_size=2))) % 2 == 0
    sampler = IdentitySampler(dataset, seed=0, batch_size=4, num_instances=2)
    labels = dataset.labels[[index for index, _ in sampler]].reshape(-1, 2, 2)
    assert (labels[..., 0] == labels[..., 1]).all()
    assert (labels[:, 0, 0] != labels[:, 1, 0]).all()
