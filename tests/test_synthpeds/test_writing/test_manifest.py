"""The manifest keeps its on-disk keys."""

import json


def test_manifest_keys_never_change(tiny):
    out, manifest = tiny
    assert json.loads((out / 'manifest.json').read_text()) == manifest
    settings = ['generator', 'version', 'size', 'seed', 'difficulty']
    assert list(manifest) == [*settings, 'pictures', 'files', 'identities']
    assert list(manifest['difficulty']) == [
        'crowding', 'shade_spread', 'camera', 'light', 'occlusion', 'framing',
        'omission', 'hedging',
    ]  # fmt: skip
