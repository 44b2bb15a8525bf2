"""Draw what the features of a few images of each benchmark are made of."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hplreid.registry import HOOKS
from hplreid.utils.user_error import UserError

from ..data_parallel import unwrap
from .score_log_hook import count_steps


@HOOKS.register_module()
class RelevanceMapHook(Hook):
    """Draws maps of relevance after a test: ``relevance_maps/<benchmark>.png``.

    There is a column for each class token (``v`` and ``u`` of HPL), or one for what the
    method compares images by. The images are spread evenly over the queries of a
    benchmark, over its gallery where queries are captions: the same ones for every
    model. The backends of the run's visualizer (TensorBoard, say) get each page as
    ``relevance_maps_<benchmark>``. A few images are encoded once more, forward and
    backward.

    Args:
        num_images: Number of images of each benchmark.
        kind: How maps are computed, see ``KINDS`` of ``hplreid.visualization.explain``.

    Raises:
        ValueError: The number is less than one, or the kind is unknown.
    """

    priority = 'VERY_LOW'  # as of ranked lists: scores are logged first

    def __init__(self, num_images: int = 4, kind: str = 'gradient') -> None:
        # Here and below: only a run that draws maps should load what draws them
        from hplreid.visualization.explain import KINDS

        if num_images < 1 or kind not in KINDS:
            raise ValueError(
                f'RelevanceMapHook: num_images={num_images}, kind={kind!r}; expected 1 '
                f'or more, and one of {", ".join(KINDS)}.'
            )
        self.num_images = num_images
        self.kind = kind

    @master_only
    def after_test_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Draw a page for each benchmark that has images.

        Raises:
            UserError: The test loop has no named benchmarks.
            ExplainError: The method has features of a kind that can't be explained.
        """
        from hplreid.visualization.figures import figure_pixels, save_figure

        loaders = getattr(
            getattr(runner.test_loop, 'dataloader', None), 'loaders', None
        )
        if loaders is None:
            raise UserError(
                "RelevanceMapHook needs test_cfg=dict(type='BenchmarkLoop'); got "
                f'{type(runner.test_loop).__name__}.'
            )
        folder = Path(getattr(runner.test_loop, 'folder', runner.work_dir))
        folder /= 'relevance_maps'
        for name, loader in loaders.items():
            chosen = choose_images(loader.dataset, self.num_images)
            if not chosen:
                continue
            batch = loader.collate_fn([loader.dataset[place] for place in chosen])
            figure = self._draw(unwrap(runner.model), batch, name)
            save_figure(figure, folder / f'{name}.png')
            runner.visualizer.add_image(
                f'relevance_maps_{name}', figure_pixels(figure), count_steps(runner)
            )
        runner.logger.info(f'Maps of relevance of some images are in {folder}.')

    def _draw(self, model: Any, batch: Any, name: str) -> Any:  # noqa: ANN401
        from hplreid.visualization.explain import (
            draw_feature_maps,
            explain_feature,
            shown_features,
        )

        was_training = model.training
        model.eval()
        inputs = model.data_preprocessor(batch)['inputs']
        pixels = model.data_preprocessor.denormalize(inputs['images']).cpu()
        with torch.enable_grad():
            maps = {
                ' + '.join(names): explain_feature(model, inputs, names, self.kind).maps
                for names in shown_features(model)
            }
        model.train(was_training)
        titles = [Path(sample.img_path).stem for sample in batch['data_samples']]
        return draw_feature_maps(pixels, titles, maps, name)


def choose_images(dataset: Any, num: int) -> list[int]:  # noqa: ANN401
    """Return at most ``num`` items with images, evenly spread over the queries.

    Args:
        dataset: A dataset of a benchmark.
        num: How many.

    Returns:
        Their places. Where no query is an image, they are of the gallery; none where
        nothing is.

    Example:
        >>> class Dataset(list):
        ...     get_data_info = list.__getitem__
        >>> items = [
        ...     {'img_path': path, 'split': split}
        ...     for split, path in [('query', None), *[('gallery', 'a.jpg')] * 5]
        ... ]
        >>> choose_images(Dataset(items), 3)
        [1, 3, 5]
    """
    infos = [dataset.get_data_info(place) for place in range(len(dataset))]
    images = [i for i, info in enumerate(infos) if info['img_path'] is not None]
    queries = [place for place in images if infos[place]['split'] == 'query']
    found = queries or images
    if not found:
        return []
    places = np.linspace(0, len(found) - 1, min(num, len(found))).round().astype(int)
    return [found[place] for place in places]
