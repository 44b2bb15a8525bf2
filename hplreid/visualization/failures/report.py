"""A page about the failures of a model: figures and tables in a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hplreid.evaluation import (
    FeatureSet,
    RankingResult,
    verification_report,
)
from hplreid.evaluation.files import is_image_name, name_items
from hplreid.evaluation.inspection import (
    GroupScore,
    cmc_curve,
    find_confusions,
    precision_recall_curve,
    protocol_arguments,
    rank_features,
    score_attribute,
    score_camera_pairs,
    score_caption_lengths,
    score_queries,
    suspect_items,
    suspect_pairs,
    zero_is_a_crowd,
)
from hplreid.evaluation.protocol import JUNK_PID
from hplreid.utils.atomic_files import atomic_path

from ..figures import save_figure
from .confusions import draw_confusions
from .groups import draw_attribute, draw_camera_pairs, draw_groups
from .score_curves import draw_score_curves
from .score_histogram import draw_score_histogram
from .suspects import draw_item_suspects, draw_pair_suspects
from .worst_queries import draw_worst_queries

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_failure_report(
    features: FeatureSet,
    folder: str | Path,
    name: str = 'model',
    num: int = 6,
    topk: int = 10,
    suffix: str = '.png',
    attributes: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write ``report.md`` and its figures.

    Args:
        features: Features with names; those without cameras have no scores by camera,
            and queries that are images none by length of caption.
        folder: Where to.
        name: Name of the model.
        num: Cases of each kind.
        topk: Length of ranked lists.
        suffix: Format of the figures, see ``FORMATS`` of ``figures``.
        attributes: What the queries are grouped by: a value of each query, by the name
            of the attribute, see :func:`.read_attributes`.

    Returns:
        The page.

    Raises:
        UnnamedItemsError: The features have no names.
        FileNotFoundError: An image is missing.
        GroupError: An attribute has too many values.
        ValueError: No query has a match.

    Example:
        >>> import numpy as np
        >>> pids = np.arange(8) // 2
        >>> names = np.array([f'a coat of color {pid}' for pid in pids])
        >>> feats = np.random.default_rng(0).normal(size=(8, 4))
        >>> items = dict(query_names=names, gallery_names=names)
        >>> features = FeatureSet(feats[::-1].copy(), feats, pids, pids, **items)
        >>> page = write_failure_report(features, 'report', num=1, topk=2)
        >>> page.read_text().splitlines()[0]
        '# Failures of model'
    """
    page = _Page(Path(folder), suffix)
    ranking = rank_features(features)
    page.write(f'# Failures of {name}')
    page.write(
        f'{ranking.num_valid_queries:,} queries with a match, a gallery of '
        f'{ranking.num_gallery:,}: mAP {ranking.mean_ap:.2f}, R1 '
        f'{ranking.rank_k(1):.2f}.'
    )
    _add_curves(page, features, name)
    _add_confusions(page, features, num)
    page.add(
        'Worst queries', 'worst_queries', draw_worst_queries(features, num, topk, name)
    )
    _add_groups(page, features, ranking)
    for what, values in (attributes or {}).items():
        _add_attribute(page, what, values, ranking, features.query_pids)
    _add_suspects(page, features, num)
    return page.finish()


class _Page:
    """A page of Markdown beside its figures."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.folder, self.suffix = folder, suffix
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        self.parts.append(text)

    def add(self, head: str, file: str, figure: Figure) -> None:
        path = save_figure(figure, self.folder / f'{file}{self.suffix}')
        self.parts += [f'## {head}', f'![{head}]({path.name})']

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        lines = [heads, ['---'] * len(heads), *rows]
        self.parts.append(
            '\n'.join(f'| {" | ".join(map(str, line))} |' for line in lines)
        )

    def finish(self) -> Path:
        path = self.folder / 'report.md'
        with atomic_path(path) as temporary:
            temporary.write_text('\n\n'.join(self.parts) + '\n', encoding='utf-8')
        return path


def _add_curves(page: _Page, features: FeatureSet, name: str) -> None:
    cmc = cmc_curve(score_queries(features))
    precision = precision_recall_curve(features)
    figure = draw_score_curves({name: cmc}, {name: precision})
    page.add('Curves, with 95 % intervals', 'curves', figure)
    report = verification_report(**protocol_arguments(features))
    page.add('Scores of pairs, and thresholds', 'scores', draw_score_histogram(report))
    page.table(
        ('FAR at most', 'FAR', 'TAR, %', 'threshold'),
        [
            (f'{far:g}', f'{actual:.2e}', f'{tar:.2f}', f'{threshold:.4f}')
            for far, actual, tar, threshold in zip(
                report.fars,
                report.actual_fars,
                report.tars,
                report.thresholds,
                strict=True,
            )
        ],
    )


def _add_confusions(page: _Page, features: FeatureSet, num: int) -> None:
    confusions = find_confusions(features)
    if not confusions:
        page.write('No query is nearer to another identity than to its own.')
        return
    page.add(
        'Confused identities', 'confusions', draw_confusions(features, confusions, num)
    )
    page.table(
        ('identity', 'found for it', 'queries', 'of'),
        [(c.pid, c.other, c.count, c.total) for c in confusions[: 2 * num]],
    )


def _add_groups(page: _Page, features: FeatureSet, ranking: RankingResult) -> None:
    if features.has_cameras():
        page.add(
            'Scores by camera',
            'cameras',
            draw_camera_pairs(*score_camera_pairs(features)),
        )
    names = [] if features.query_names is None else features.query_names.tolist()
    if not all(map(is_image_name, names)):
        groups = score_caption_lengths(names, ranking.ap, features.query_pids)
        figure = draw_groups(groups, 'length of the caption', ranking.mean_ap)
        page.add('Scores by length of the caption', 'captions', figure)


def _add_attribute(
    page: _Page,
    name: str,
    values: Sequence[str],
    ranking: RankingResult,
    pids: np.ndarray,
) -> None:
    scores = score_attribute(name, values, ranking, pids)
    figure = draw_attribute(scores, ranking.mean_ap, ranking.rank_k(1))
    page.add(f'Scores by {name}', f'by_{re.sub(r"[^0-9A-Za-z]+", "_", name)}', figure)
    page.table(
        (name, 'queries', 'mAP, % (95 % interval)', 'R1, % (95 % interval)'),
        [
            (ap.name, ap.count, _show(ap), _show(hit))
            for ap, hit in zip(scores.mean_ap, scores.rank_1, strict=True)
        ],
    )


def _show(group: GroupScore) -> str:
    return f'{group.mean:.2f} ({group.low:.2f} to {group.high:.2f})'


def _add_suspects(page: _Page, features: FeatureSet, num: int) -> None:
    """Search the images of one modality: all of I2I, the gallery of T2I."""
    query, gallery = name_items(features)
    items, feats = gallery, features.gallery_feats
    if (query[0].img_path is None) == (gallery[0].img_path is None):
        items = query + gallery
        feats = np.concatenate([features.query_feats, feats])
    pids = np.array([item.pid for item in items])
    if zero_is_a_crowd(features):
        pids[pids == 0] = JUNK_PID
    pairs, odd = suspect_pairs(feats, pids, num), suspect_items(feats, pids, num)
    if pairs:
        figure = draw_pair_suspects(items, pairs, num)
        page.add('Two identities that may be one person', 'suspect_pairs', figure)
    if odd:
        figure = draw_item_suspects(items, odd, num)
        page.add('Items that may be of another identity', 'suspect_items', figure)
    if not pairs and not odd:
        page.write('No label looks wrong.')
