"""The visualizer of a run, which loads matplotlib only where something is drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from mmengine.visualization import Visualizer

from hplreid.registry import VISUALIZERS


@VISUALIZERS.register_module()
class RunVisualizer(Visualizer):
    """MMEngine's visualizer, whose figure is made for the first image that it is given.

    A run records its config and its curves, and is given its ranked lists as images:
    it draws nothing here. Loading matplotlib takes most of a second.

    Example:
        >>> from hplreid.visualization import RunVisualizer
        >>> visualizer = RunVisualizer()
        >>> visualizer.fig_save_canvas is None
        True
        >>> visualizer.set_image(np.zeros((4, 2, 3), np.uint8))
        >>> visualizer.get_image().shape
        (4, 2, 3)
    """

    fig_save_canvas: Any  # None until there is an image

    def _initialize_fig(self, fig_cfg: dict[str, Any]) -> tuple[Any, Any, Any]:
        if self.fig_save is None:  # called by __init__, which asks for the resolution
            return None, SimpleNamespace(get_dpi=lambda: None), None
        return super()._initialize_fig(fig_cfg)

    def set_image(self, image: np.ndarray) -> None:
        """Set the image to draw on, ``(H, W, 3)`` or ``(H, W)``; see ``Visualizer``."""
        if self.fig_save_canvas is None:
            canvas, figure, axes = self._initialize_fig(self.fig_save_cfg)
            self.fig_save_canvas, self.fig_save, self.ax_save = canvas, figure, axes
            self.dpi = figure.get_dpi()
        super().set_image(image)
