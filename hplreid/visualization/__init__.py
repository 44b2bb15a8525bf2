"""Drawings of what a model is given, what it finds and how it was trained.

Functions take results and return a figure, or an image. ``figures`` has the look of all
of them and writes them; ``training`` draws logs and schedules, ``comparison`` lists
of several models, ``failures`` what a model gets wrong, ``embeddings`` maps of
features. The hook that draws during a run lives in ``hplreid.engine.hooks``.
"""

from .comparison import (
    ComparedQuery,
    choose_queries,
    compare_lists,
    draw_stacked_lists,
    rank_queries,
)
from .embeddings import (
    EmbeddedItems,
    ModalityGap,
    choose_items,
    draw_embedding,
    measure_gap,
    project,
    write_embedding_page,
)
from .failures import (
    draw_attribute,
    draw_camera_pairs,
    draw_confusions,
    draw_groups,
    draw_item_suspects,
    draw_pair_suspects,
    draw_score_curves,
    draw_score_histogram,
    draw_worst_queries,
    write_failure_report,
)
from .figures import FigureError, save_figure
from .ranked_list import RankedListVisualizer, draw_ranked_list, draw_ranked_lists
from .run_visualizer import RunVisualizer
from .sample_sheet import SheetSample, Token, draw_sample_sheet
from .training import (
    ScalarLog,
    StageSchedule,
    SweepPoint,
    draw_loss_shares,
    draw_schedule,
    draw_search,
    draw_sweep,
    draw_training_curves,
    find_logs,
    read_scalar_log,
)
from .verification_plot import draw_verification

__all__ = [
    'ComparedQuery',
    'EmbeddedItems',
    'FigureError',
    'ModalityGap',
    'RankedListVisualizer',
    'RunVisualizer',
    'ScalarLog',
    'SheetSample',
    'StageSchedule',
    'SweepPoint',
    'Token',
    'choose_items',
    'choose_queries',
    'compare_lists',
    'draw_attribute',
    'draw_camera_pairs',
    'draw_confusions',
    'draw_embedding',
    'draw_groups',
    'draw_item_suspects',
    'draw_loss_shares',
    'draw_pair_suspects',
    'draw_ranked_list',
    'draw_ranked_lists',
    'draw_sample_sheet',
    'draw_schedule',
    'draw_score_curves',
    'draw_search',
    'draw_score_histogram',
    'draw_stacked_lists',
    'draw_sweep',
    'draw_training_curves',
    'draw_verification',
    'draw_worst_queries',
    'find_logs',
    'measure_gap',
    'project',
    'rank_queries',
    'read_scalar_log',
    'save_figure',
    'write_embedding_page',
    'write_failure_report',
]
