"""A file of query and gallery features, of this or any other code base."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .array_file import (
    ArrayFileError,
    need_keys,
    read_arrays,
    read_object,
    write_arrays,
)
from .score_file import PROVENANCE

_NEEDED = ('query_pids', 'gallery_pids', 'query_feats', 'gallery_feats')
_CAMERAS = ('query_camids', 'gallery_camids')
_NAMES = ('query_names', 'gallery_names')
_SETTINGS = ('distance', 'same_camera')


@dataclass(frozen=True)
class FeatureSet:
    """The features, identities and cameras that an evaluation needs.

    Attributes:
        query_feats: ``(Q, D)`` floats.
        gallery_feats: ``(G, D)`` floats.
        query_pids: Identities, ``(Q,)`` integers.
        gallery_pids: Identities, ``(G,)`` integers, -1 is junk.
        query_camids: Cameras, ``(Q,)`` integers, -1 where unknown; None for all.
        gallery_camids: Cameras, ``(G,)``, likewise.
        query_names: Paths or captions, ``(Q,)`` strings; None if not known.
        gallery_names: Paths or captions, ``(G,)`` strings, likewise.
        distance: The distance that the features are meant for; None if not known.
        same_camera: ``'drop'`` or ``'keep'``, the protocol's rule; None if not known.
        provenance: Where the features come from, in values that JSON can hold; empty if
            not known.
    """

    query_feats: np.ndarray
    gallery_feats: np.ndarray
    query_pids: np.ndarray
    gallery_pids: np.ndarray
    query_camids: np.ndarray | None = None
    gallery_camids: np.ndarray | None = None
    query_names: np.ndarray | None = None
    gallery_names: np.ndarray | None = None
    distance: str | None = None
    same_camera: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    def save(self, path: str | Path) -> None:
        """Write an ``.npz`` with the attributes that aren't None as keys."""
        values = {k: v for k, v in vars(self).items() if v is not None}
        values[PROVENANCE] = json.dumps(values[PROVENANCE])
        arrays = {k: np.asarray(v) for k, v in values.items()}
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | Path) -> 'FeatureSet':
        """Read an ``.npz`` with the attributes of this class as keys.

        Keys that it doesn't know are left alone.

        Raises:
            FileNotFoundError: There is no such file.
            ArrayFileError: A needed key is missing, an array has another shape or type,
                or a feature isn't finite.
        """
        arrays = read_arrays(path)
        need_keys(path, arrays, _NEEDED)
        for pair in (_CAMERAS, _NAMES):
            if any(name in arrays for name in pair):
                need_keys(path, arrays, pair)
        kinds = {'feats': 'f', 'pids': 'iu', 'camids': 'iu', 'names': 'U'}
        for name in (*_NEEDED, *_CAMERAS, *_NAMES):
            if name in arrays:
                side, kind = name.split('_')
                length = len(np.atleast_1d(arrays[f'{side}_pids']))
                _check(path, name, arrays[name], kinds[kind], length)
        _check_widths(path, arrays['query_feats'], arrays['gallery_feats'])
        known: dict[str, Any] = {
            k: arrays[k] for k in (*_NEEDED, *_CAMERAS, *_NAMES) if k in arrays
        }
        known.update({k: str(arrays[k]) for k in _SETTINGS if k in arrays})
        known[PROVENANCE] = read_object(path, arrays, PROVENANCE)
        return cls(**known)

    def has_cameras(self) -> bool:
        """Whether the camera of every item is known."""
        return all(
            camids is not None and bool((camids >= 0).all())
            for camids in (self.query_camids, self.gallery_camids)
        )


def _check(
    path: str | Path, name: str, array: np.ndarray, kinds: str, length: int
) -> None:
    dims = 2 if kinds == 'f' else 1
    words = {'f': 'floats (N, D)', 'iu': 'integers (N,)', 'U': 'strings (N,)'}[kinds]
    if array.ndim != dims or array.dtype.kind not in kinds or not array.size:
        raise ArrayFileError(
            f"'{path}': {name} must be {words}, not empty; got {array.dtype} of shape "
            f'{array.shape}.'
        )
    if len(array) != length:
        side = name.split('_')[0]
        raise ArrayFileError(
            f"'{path}': {name} has {len(array)} rows, {side}_pids has {length}."
        )
    if kinds == 'f':
        bad = int((~np.isfinite(array).all(1)).sum())
        if bad:
            raise ArrayFileError(
                f"'{path}': {bad} of {length} rows of {name} hold NaN or infinity."
            )


def _check_widths(path: str | Path, query: np.ndarray, gallery: np.ndarray) -> None:
    if query.shape[1] != gallery.shape[1]:
        raise ArrayFileError(
            f"'{path}': query and gallery features differ in length: "
            f'{query.shape[1]} and {gallery.shape[1]}.'
        )
