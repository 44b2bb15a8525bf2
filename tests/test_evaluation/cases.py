"""Made-up features that are scored in more than one way."""

import numpy as np


def random_case(queries, gallery, length, dtype=np.float32):
    """Features about the centers of 40 people, seen by 6 cameras."""
    rng = np.random.default_rng(length)
    q_pids, g_pids = rng.integers(0, 40, queries), rng.integers(-1, 40, gallery)
    q_cams, g_cams = rng.integers(0, 6, queries), rng.integers(0, 6, gallery)
    centers = rng.normal(size=(41, length))
    q = centers[q_pids] + 3 * rng.normal(size=(queries, length))
    g = centers[g_pids] + 3 * rng.normal(size=(gallery, length))
    # Images that are copied, also of other people, tie exactly
    g[rng.integers(0, gallery, gallery // 4)] = g[
        rng.integers(0, gallery, gallery // 4)
    ]
    return q.astype(dtype), g.astype(dtype), q_pids, g_pids, q_cams, g_cams


def assert_same(result, expected):
    np.testing.assert_array_equal(result.ap, expected.ap)
    np.testing.assert_array_equal(result.inp, expected.inp)
    np.testing.assert_array_equal(result.first_hit, expected.first_hit)
