"""What makes rendering fast changes no bit: batches, blocks and shorter ways."""

import numpy as np
import pytest
import torch

from hplreid.synthpeds import Difficulty
from hplreid.synthpeds.camera import CAMERAS, Light, Subject, look_at_person
from hplreid.synthpeds.camera.framing import project_extent
from hplreid.synthpeds.camera.rendering import _bands
from hplreid.synthpeds.camera.sphere_tracing import _norms, trace_rays
from hplreid.synthpeds.figure import Shape, draw_pose, make_figure, make_skeleton
from hplreid.synthpeds.figure.shape_batch import ShapeBatch
from hplreid.synthpeds.figure.signed_distance import nearest_rows
from hplreid.synthpeds.wardrobe import make_identity

from .reference_tracing import trace, union_distance


def _subject(number):
    rng = np.random.default_rng(number)
    person = make_identity(0, number, Difficulty())
    bones = make_skeleton(person.build, draw_pose(rng))
    figure = make_figure(person, bones)
    view = look_at_person(CAMERAS[number % 6], rng.normal(), 1.0)
    extent = project_extent(figure, np.eye(3), view)
    view = type(view)(**{**vars(view), 'center': extent.low.min(0) / 2, 'height': 0.25})
    light = Light(np.array([0.0, 0.8, 0.6]), np.ones(3), np.ones(3))
    return Subject(person, bones, figure, np.eye(3), extent, view, light)


@pytest.fixture(scope='module')
def bundles():
    return [band.bundle for i in (0, 3, 5) for band in _bands(_subject(i), 96, 48)]


def test_tracing_many_bundles_at_once_changes_no_bit(bundles):
    with torch.inference_mode():
        hits = 0
        for bundle, (ray, depth) in zip(bundles, trace_rays(bundles), strict=True):
            expected_ray, expected_depth = trace(bundle)
            assert torch.equal(ray, expected_ray)
            assert torch.equal(depth, expected_depth)
            hits += len(ray)
        assert hits > 1000


@pytest.mark.parametrize('counts', [(1, 1), (1, 7, 40), (8, 33, 2, 64)])
def test_a_batch_of_shapes_changes_no_bit(bundles, counts):
    shapes = [bundles[3 * i].shape for i in range(len(counts))]
    assert len({len(shape) for shape in shapes}) > 1
    points = [torch.randn(3, n) for n in counts]
    found = ShapeBatch(shapes, counts)(points).split(counts)
    for shape, own, distance in zip(shapes, points, found, strict=True):
        assert torch.equal(distance, union_distance(shape, own))


@pytest.mark.parametrize('count', [1, 30, 4001])
def test_shorter_ways_change_no_bit(bundles, count):
    shape = max((bundle.shape for bundle in bundles), key=len)
    points = torch.randn(3, count)
    assert torch.equal(shape(points), union_distance(shape, points))


def test_nearest_row_is_the_first_of_the_least():
    values = torch.randn(14, 500)
    values[:, ::3] = values[:, ::3].round()  # ties
    assert torch.equal(nearest_rows(values), values.argmin(0))


def test_norms_match_those_in_float64():
    vectors = 0.004 * torch.randn(3, 2000)
    exact = vectors.double().norm(dim=0)
    assert ((_norms(vectors) - exact).abs() <= 2e-7 * exact).all()


def test_extents_are_those_of_primitives_one_by_one():
    subject = _subject(3)
    for i, primitive in enumerate(subject.primitives):
        alone = project_extent([primitive], subject.rotation, subject.view)
        np.testing.assert_array_equal(alone.low[0], subject.extent.low[i])
        np.testing.assert_array_equal(alone.high[0], subject.extent.high[i])
        assert subject.extent.depth[0] <= alone.depth[0]
        assert subject.extent.depth[1] >= alone.depth[1]


def test_a_subset_keeps_primitives(bundles):
    subject = _subject(3)
    shape = Shape(subject.primitives)
    keep = np.arange(len(shape)) % 3 == 0
    points = torch.randn(3, 100)
    expected = shape.distances(points)[torch.as_tensor(keep)]
    torch.testing.assert_close(shape.subset(keep).distances(points), expected)
