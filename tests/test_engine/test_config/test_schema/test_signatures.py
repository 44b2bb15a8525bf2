"""What a class takes by name, through its base classes."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from torch import Tensor, nn

from hplreid.engine.config.schema.annotations import describe, fits
from hplreid.engine.config.schema.signatures import read_signature


class Base:
    def __init__(self, width: int, depth: int = 2) -> None: ...


class Passes(Base):
    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kept = kwargs.get('depth')


class Keeps(Base):
    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(3)
        self.other = dict(**kwargs)


class Inherits(Passes):
    pass


class Module(nn.Module):
    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)


def function(batch: list, size: int = 3) -> None: ...


@pytest.mark.parametrize(
    ('target', 'names', 'is_open'),
    [
        (Base, {'width', 'depth'}, False),
        (Passes, {'scale', 'width', 'depth'}, False),
        (Inherits, {'scale', 'width', 'depth'}, False),
        (Keeps, {'scale'}, True),
        (Module, {'size'}, False),
        (function, {'batch', 'size'}, False),
    ],
)
def test_arguments_of_a_class_and_its_bases(target, names, is_open):
    signature = read_signature(target)
    assert set(signature.annotations) == names
    assert signature.is_open is is_open


def test_defaults_and_annotations():
    signature = read_signature(Passes)
    assert signature.defaults == dict(scale=1.0, depth=2)
    assert signature.annotations['width'] is int


@pytest.mark.parametrize(
    ('value', 'annotation', 'expected'),
    [
        (3, int, True),
        (True, int, False),
        (3, float, True),
        ('3', float, False),
        (1, bool, False),
        ('a', str, True),
        ({}, str, False),
        (None, int | None, True),
        (None, int, False),
        ([1, 2], tuple[int, int], True),
        ([1, 2, 3], tuple[int, int], False),
        ((1, 2, 3), tuple[int, ...], True),
        (['a', 1], list[str], False),
        ('ab', Sequence[str], False),
        ({'a': 1}, dict[str, int], True),
        ({'a': 'b'}, dict[str, int], False),
        ('sum', Literal['mean', 'sum'], True),
        ('max', Literal['mean', 'sum'], False),
        ({'type': 'Linear'}, nn.Module, True),
        (3, nn.Module, False),
        ('text', float | Tensor, False),
        (object(), Any, True),
        ([], Any, True),
    ],
)
def test_values_fit_annotations(value, annotation, expected):
    assert fits(value, annotation) is expected


def test_annotations_in_words():
    assert describe(int | None) == 'int | None'
    assert describe(Literal['mean', 'sum']) == "'mean' or 'sum'"
    assert describe(list[nn.Module | dict]) == 'list[Module | dict]'


def test_a_default_that_is_a_bool_tells_the_type():
    def build(flag=False, size=7, other=None): ...

    assert read_signature(build).annotations == dict(flag=bool, size=Any, other=Any)
