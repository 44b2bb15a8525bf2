"""The visualizer of a run draws as MMEngine's does, once it draws at all."""

import subprocess
import sys

import numpy as np
from mmengine.visualization import Visualizer

from hplreid.visualization import RunVisualizer


def test_what_it_draws_is_what_mmengine_draws():
    image = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
    drawn = []
    for visualizer in (RunVisualizer(), Visualizer()):
        visualizer.set_image(image)
        visualizer.draw_bboxes(np.array([2, 3, 9, 15]), edge_colors='r')
        drawn.append(visualizer.get_image())
        assert visualizer.dpi == visualizer.fig_save.get_dpi()
    np.testing.assert_array_equal(*drawn)


def test_it_records_curves_without_matplotlib(tmp_path):
    program = f"""
import sys
from hplreid.visualization import RunVisualizer
backends = [dict(type='LocalVisBackend')]
visualizer = RunVisualizer(vis_backends=backends, save_dir={str(tmp_path)!r})
visualizer.add_scalars(dict(loss=0.5), step=3)
visualizer.close()
sys.exit('matplotlib' in sys.modules)
"""
    subprocess.run([sys.executable, '-c', program], check=True)
    (scalars,) = tmp_path.rglob('scalars.json')
    assert scalars.read_text() == '{"loss": 0.5, "step": 3}\n'
