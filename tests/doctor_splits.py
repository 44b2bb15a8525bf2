"""Splits, items and file facts for tests of the doctor."""

from hplreid.datasets.doctor import find_split_configs
from hplreid.datasets.doctor.file_inspection import (
    FileFacts,
)
from hplreid.datasets.doctor.split_reader import Split


def configs_of(kind, root, **options):
    """Return the config of a split of a dataset on disk."""
    options = {'data_root': str(root), 'expected': None, **options}
    return find_split_configs({'type': kind, **options})


def summary_of(findings):
    """Return severity, check and count of each finding."""
    return [(f.severity, f.check, f.count) for f in findings]


def make_item(pid, camid=0, split='train', path=None, caption=None):
    """Return an item with a made-up path."""
    path = path or (None if caption and split == 'query' else f'{split}_{pid}_{camid}')
    return {
        'img_path': path,
        'pid': pid,
        'camid': camid,
        'split': split,
        'caption': caption,
    }


def make_split(items, name='set train', source='set', **options):
    """Return a split named ``'<dataset> <split>'``."""
    dataset_name, part = name.split()
    return Split(dataset_name, part, source, part != 'train', items, **options)


def facts_of(**paths):
    """Return the facts of files, given the digest of each path."""
    return {path: FileFacts(None, value) for path, value in paths.items()}
