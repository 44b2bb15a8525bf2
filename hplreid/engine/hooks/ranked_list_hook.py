"""Draw the ranked lists of a few queries of each benchmark."""

from pathlib import Path

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hplreid.registry import HOOKS, VISUALIZERS

from .score_log_hook import count_steps


@HOOKS.register_module()
class RankedListHook(Hook):
    """Draws ranked lists after a test: ``ranked_lists/<benchmark>.png`` by its scores.

    The queries are spread evenly over the query set, the same ones for every model. The
    lists are made of features that the metrics have collected; nothing is computed
    again. The backends of the run's visualizer (TensorBoard, say) get each page as
    ``ranked_lists_<benchmark>``. A metric with a prefix gets
    ``<benchmark>_<prefix>.png``. The lists of one that re-ranks are in the order before
    re-ranking, as their title says.

    Args:
        num_queries: Number of queries of each benchmark.
        topk: Number of gallery items of each query.
        visualizer: Config of the visualizer that draws them. Defaults to
            ``RankedListVisualizer``.

    Raises:
        ValueError: A count is less than one.
    """

    # After the logger, so that scores are logged even if an image is missing
    priority = 'VERY_LOW'

    def __init__(
        self, num_queries: int = 5, topk: int = 10, visualizer: dict | None = None
    ) -> None:
        if num_queries < 1 or topk < 1:
            raise ValueError(
                'num_queries and topk must be at least 1; got '
                f'{num_queries} and {topk}.'
            )
        self.num_queries = num_queries
        self.topk = topk
        # By the registry: the engine must not import visualization
        options = dict(visualizer or {'type': 'RankedListVisualizer'})
        kind = options.pop('type')
        # Not built by the registry, which has one visualizer of a name in a process
        drawer = VISUALIZERS.get(kind) if isinstance(kind, str) else kind
        if drawer is None:
            raise ValueError(f'visualizer={visualizer}: no visualizer of this type.')
        self.visualizer = drawer(**options)

    @master_only
    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Draw an image for each benchmark that ranks a gallery.

        Raises:
            TypeError: The test loop has no named benchmarks.
        """
        evaluators = getattr(runner.test_loop, 'evaluators', None)
        if evaluators is None:
            raise TypeError(
                "RankedListHook needs test_cfg=dict(type='BenchmarkLoop'); got "
                f'{type(runner.test_loop).__name__}.'
            )
        folder = Path(getattr(runner.test_loop, 'folder', runner.work_dir))
        folder /= 'ranked_lists'
        folder.mkdir(parents=True, exist_ok=True)
        for benchmark, evaluator in evaluators.items():
            for metric in evaluator.metrics:
                if not hasattr(metric, 'ranked_lists'):
                    continue
                ranked = metric.ranked_lists(self.num_queries, self.topk)
                name = f'{benchmark}_{metric.prefix}' if metric.prefix else benchmark
                before = getattr(metric, 'rerank', None) is not None
                title = f'{name}, before re-ranking' if before else name
                page = self.visualizer.draw(ranked, title=title)
                page.save(folder / f'{name}.png')
                runner.visualizer.add_image(
                    f'ranked_lists_{name}', np.asarray(page), count_steps(runner)
                )
        runner.logger.info(f'Ranked lists of some queries are in {folder}.')
