"""RankedListHook in a test of two benchmarks."""

import pytest
from PIL import Image

from hplreid.engine.hooks.ranked_list_hook import RankedListHook
from hplreid.registry import VISUALIZERS
from tests.test_evaluation.toy import build_runner, loader, metric

DRAWN = []


@VISUALIZERS.register_module()
class RecordingVisualizer:
    """A visualizer that records its arguments."""

    def draw(self, ranked, title):
        DRAWN.append((title, ranked))
        return Image.new('RGB', (2, 2))


def run(tmp_path, hook, image=None):
    return build_runner(
        tmp_path,
        test_cfg={'type': 'BenchmarkLoop'},
        test_dataloader={
            'a_i2i': loader(0, img_path=image),
            'b_t2i': loader(1, img_path=image),
        },
        test_evaluator={
            'a_i2i': metric('i2i'),
            'b_t2i': [metric('t2i'), metric('i2t', prefix='i2t')],
        },
        custom_hooks=[{'type': 'RankedListHook', **hook}],
    ).test()


def test_each_benchmark_has_an_image(tmp_path):
    image = tmp_path / 'person.png'
    Image.new('RGB', (20, 40), (1, 2, 250)).save(image)
    run(tmp_path / 'work', {'num_queries': 2, 'topk': 3}, str(image))
    folder = tmp_path / 'work' / 'ranked_lists'
    assert sorted(path.name for path in folder.iterdir()) == [
        'a_i2i.png',
        'b_t2i.png',
        'b_t2i_i2t.png',
    ]
    for path in folder.iterdir():
        with Image.open(path) as page:
            page.load()
            colors = {c: n for n, c in page.getcolors(1 << 24)}
        assert colors[(1, 2, 250)] == 2 * 4 * 96 * 192


def test_queries_are_the_same_in_each_run(tmp_path):
    DRAWN.clear()
    hook = {
        'num_queries': 3,
        'topk': 4,
        'visualizer': {'type': 'RecordingVisualizer'},
    }
    for name in ('first', 'second'):
        run(tmp_path / name, hook)
    assert [title for title, _ in DRAWN] == ['a_i2i', 'b_t2i', 'b_t2i_i2t'] * 2
    assert DRAWN[:3] == DRAWN[3:]
    captions = [ranked.query.caption for ranked in DRAWN[0][1]]
    assert captions == ['words 0', 'words 7', 'words 14']
    assert {len(ranked.items) for ranked in DRAWN[0][1]} == {4}


def test_lists_of_a_metric_that_re_ranks_say_that_they_are_plain(tmp_path):
    DRAWN.clear()
    build_runner(
        tmp_path,
        test_cfg={'type': 'BenchmarkLoop'},
        test_dataloader={'a': loader(0)},
        test_evaluator={'a': metric('i2i', rerank={'k1': 4, 'k2': 2})},
        custom_hooks=[
            {'type': 'RankedListHook', 'visualizer': {'type': 'RecordingVisualizer'}}
        ],
    ).test()
    assert [title for title, _ in DRAWN] == ['a_reranked, before re-ranking']
    (drawn,) = (tmp_path / 'ranked_lists').iterdir()
    assert drawn.name == 'a_reranked.png'


def test_wrong_arguments_and_loops_are_errors(tmp_path):
    with pytest.raises(ValueError, match='at least 1; got 0 and 10'):
        RankedListHook(num_queries=0)
    runner = build_runner(
        tmp_path,
        test_cfg={'type': 'TestLoop'},
        test_dataloader={
            **loader(0),
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        },
        test_evaluator=metric('i2i'),
        custom_hooks=[{'type': 'RankedListHook'}],
    )
    with pytest.raises(TypeError, match="needs test_cfg=dict.type='BenchmarkLoop'"):
        runner.test()
