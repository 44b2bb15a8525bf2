"""Which model the features of a gallery are of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hplreid.apis import ReIDInferencer
from hplreid.apis.preprocessing import describe_preprocessing
from hplreid.engine.results.fingerprints import hash_weights

from .errors import OtherModelError


@dataclass(frozen=True)
class ModelKey:
    """A model, as far as its features depend on it.

    Attributes:
        weights: SHA-256 of its weights.
        preprocessing: SHA-256 of how images and captions are prepared, and augmented.
        spaces: Length of the features of each task.
        name: Its kind, for messages.

    Example:
        >>> ModelKey('0a', '1b', dict(i2i=64), 'HPL').spaces
        {'i2i': 64}
    """

    weights: str
    preprocessing: str
    spaces: Mapping[str, int]
    name: str

    @classmethod
    def of(cls, inferencer: ReIDInferencer) -> 'ModelKey':
        """Return the key of a model, whose features' lengths are tried on an image."""
        blank = np.zeros((16, 8, 3), dtype=np.uint8)
        shown, inferencer.progress = inferencer.progress, False
        try:
            spaces = {
                task: inferencer.embed_images([blank], task, camids=0).shape[1]
                for task in inferencer.tasks
            }
        finally:
            inferencer.progress = shown
        test_cfg = inferencer.config.get('test_cfg') or {}
        prepared = dict(
            describe_preprocessing(inferencer.config), augment=test_cfg.get('augment')
        )
        text = json.dumps(prepared, sort_keys=True, default=repr)
        return cls(
            weights=hash_weights(inferencer.model),
            preprocessing=hashlib.sha256(text.encode()).hexdigest(),
            spaces=spaces,
            name=type(inferencer.model).__name__,
        )

    def check_same(self, other: 'ModelKey', url: str) -> None:
        """Check that features of another key may be compared with these.

        Raises:
            OtherModelError: They may not.
        """
        for name in ('weights', 'preprocessing'):
            mine, given = getattr(self, name), getattr(other, name)
            if mine != given:
                raise OtherModelError(
                    f"Gallery '{url}' has features of another model: its {name} are "
                    f"{self.name}'s with SHA-256 {mine[:12]}, those given are "
                    f"{other.name}'s with {given[:12]}. Give the model that it was "
                    'indexed with, or index it anew: tools/search.py index NEW --from '
                    f'{url} --model ...'
                )

    def to_json(self) -> dict[str, Any]:
        """Return it in values that JSON can hold."""
        return {**vars(self), 'spaces': dict(self.spaces)}
