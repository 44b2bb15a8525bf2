"""Which label each identity of a training set has; a resume must find it unchanged."""

from torch.utils.data import Dataset

from hplreid.utils.checkpoint import to_plain


def identity_map(dataset: Dataset) -> dict | None:
    """Return the dataset's ``metainfo['label_of']``, None where there is none."""
    metainfo = getattr(dataset, 'metainfo', None) or {}
    mapping = metainfo.get('label_of')
    return None if mapping is None else to_plain(mapping)


def describe_difference(old: dict, new: dict) -> str:
    """Say how two identity maps differ, with up to three examples each way."""
    lost = [k for k in old if k not in new]
    added = [k for k in new if k not in old]
    moved = [k for k in old if k in new and old[k] != new[k]]
    parts = [
        f'{len(keys)} {what} (such as {", ".join(map(str, keys[:3]))})'
        for keys, what in (
            (lost, 'identities are gone'),
            (added, 'identities are new'),
            (moved, 'identities have another label'),
        )
        if keys
    ]
    return '; '.join(parts)
