"""The label of each identity of a training set, which must not change in a resume."""

from torch.utils.data import Dataset

from hplreid.utils.checkpoints.checkpoint import to_plain


def get_identity_map(dataset: Dataset) -> dict | None:
    """Return ``metainfo['label_of']`` of a dataset: a label by identity, or None."""
    metainfo = getattr(dataset, 'metainfo', None) or {}
    mapping = metainfo.get('label_of')
    return None if mapping is None else to_plain(mapping)


def describe_map_difference(old: dict, new: dict) -> str:
    """Describe how two identity maps differ, with up to three examples of each kind."""
    missing = [k for k in old if k not in new]
    added = [k for k in new if k not in old]
    relabeled = [k for k in old if k in new and old[k] != new[k]]
    parts = [
        f'{len(keys)} {what} (such as {", ".join(map(str, keys[:3]))})'
        for keys, what in (
            (missing, 'identities are missing'),
            (added, 'identities are new'),
            (relabeled, 'identities have another label'),
        )
        if keys
    ]
    return '; '.join(parts)
