"""Look-ups by name, and the messages of those that fail."""

import ast
import importlib
import logging
import subprocess
import sys
from pathlib import Path

import mmengine.registry as root
import pytest
from mmengine.registry import DefaultScope

from hplreid import registry
from hplreid.registry import ALL, BACKBONES, LOSSES, MODELS, KindRegistry

PACKAGE = Path(registry.__file__).parent


@pytest.fixture
def fruits():
    """A registry with two known members."""
    fruits = KindRegistry('fruit', scope='hplreid')
    for name in ('Apple', 'Banana'):
        fruits.register_module(name=name, module=type(name, (), {}))
    return fruits


def registrations():
    """Yield ``(registry name, class name)`` of each ``@X.register_module()``."""
    for path in sorted(PACKAGE.rglob('*.py')):
        # What is measured is named by the programs that measure, which import it
        if {'.mim', 'measurement'} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text('utf-8'))):
            for mark in getattr(node, 'decorator_list', []):
                call = mark.func if isinstance(mark, ast.Call) else None
                if isinstance(call, ast.Attribute) and call.attr == 'register_module':
                    yield call.value.id, node.name


def test_misspelled_type_names_the_closest_and_all(fruits):
    with pytest.raises(KeyError) as error:
        fruits.build(dict(type='Aple'))
    message = error.value.args[0]
    assert "'Aple' is not a registered fruit." in message
    assert "Did you mean 'Apple'?" in message
    assert 'Registered fruits: Apple, Banana.' in message


def test_a_name_unlike_any_other_gets_no_suggestion(fruits):
    with pytest.raises(KeyError, match='Registered fruits: Apple') as error:
        fruits.build(dict(type='Xylophone'))
    assert 'Did you mean' not in error.value.args[0]


def test_an_empty_registry_lists_none():
    with pytest.raises(KeyError, match='Registered stones: none'):
        KindRegistry('stone', scope='hplreid').build(dict(type='Flint'))


@pytest.mark.parametrize('key', ['Apple', 'hplreid.Apple'])
def test_scope_prefix_of_ours_is_optional(fruits, key):
    assert type(fruits.build(dict(type=key))).__name__ == 'Apple'


def test_misspelled_type_with_our_prefix(fruits):
    with pytest.raises(KeyError, match="'Aple' is not a registered fruit"):
        fruits.get('hplreid.Aple')


@pytest.mark.parametrize(
    ('kind', 'name', 'message'),
    [
        ('HEADS', 'BNNeck', "'BNNeck' is a neck, not a head."),
        (
            'TRANSFORMS',
            'RetrievalMetric',
            "'RetrievalMetric' is a metric, not a transform.",
        ),
    ],
)
def test_a_class_of_another_kind_is_named_with_its_kind(kind, name, message):
    """In a new process, in which the other kind has not been imported."""
    program = f'from hplreid.registry import {kind}; {kind}.build(dict(type={name!r}))'
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"'{name}' is not a registered" in done.stderr
    assert message in done.stderr


def test_misspelled_loss_of_ours():
    with pytest.raises(KeyError, match="Did you mean 'SDMLoss'"):
        LOSSES.build(dict(type='SDMLos'))


def test_misspelled_type_in_a_registry_with_a_parent():
    with pytest.raises(KeyError, match="'Mystery' is not a registered model"):
        MODELS.build(dict(type='Mystery'))


def test_mmpretrain_backbone_is_reachable():
    from mmpretrain.models import ResNet

    assert BACKBONES.get('mmpretrain.ResNet') is ResNet
    model = BACKBONES.build(dict(type='mmpretrain.ResNet', depth=18))
    assert isinstance(model, ResNet)


def test_mmpretrain_is_never_searched_without_its_prefix():
    with pytest.raises(KeyError, match="'ResNet' is not a registered backbone"):
        BACKBONES.get('ResNet')


def test_root_registry_finds_ours_under_the_default_scope():
    """As the Runner does with ``default_scope = 'hplreid'``."""

    class _Probe:
        pass

    MODELS.register_module(name='_Probe', module=_Probe)
    try:
        with DefaultScope.overwrite_default_scope('hplreid'):
            assert type(root.MODELS.build(dict(type='_Probe'))) is _Probe
        assert root.MODELS.get('hplreid._Probe') is _Probe
        with (
            DefaultScope.overwrite_default_scope('mmengine'),
            pytest.raises((KeyError, RuntimeError)),
        ):
            root.MODELS.build(dict(type='_Probe'))
    finally:
        MODELS.module_dict.pop('_Probe')


def test_default_scope_still_reaches_mmengine():
    with DefaultScope.overwrite_default_scope('hplreid'):
        hook = root.HOOKS.build(dict(type='IterTimerHook'))
    assert type(hook).__module__ == 'mmengine.hooks.iter_timer_hook'


def test_parts_build_silently_under_the_default_scope(fruits, caplog):
    with (
        DefaultScope.overwrite_default_scope('hplreid'),
        caplog.at_level(logging.WARNING),
    ):
        fruits.build(dict(type='Apple'))
    assert not caplog.records


def test_names_of_registries_are_unique():
    names = [r.name for r in ALL]
    assert len(set(names)) == len(names)


def test_every_registry_is_listed():
    found = [r for r in vars(registry).values() if isinstance(r, KindRegistry)]
    assert set(map(id, found)) == set(map(id, ALL))


def test_every_registered_class_is_reached_by_its_location():
    """Configs can't name a class of a module that no ``__init__`` imports."""
    expected = list(registrations())
    assert expected
    for location in {location for kind in ALL for location in kind._locations}:
        importlib.import_module(location)
    missing = []
    for registry_name, class_name in expected:
        # Other kinds (collate functions, model wrappers) are in MMEngine's registries
        kind = getattr(registry, registry_name, None) or getattr(root, registry_name)
        if class_name not in kind.module_dict:
            missing.append(f'{registry_name}: {class_name}')
    assert not missing
