"""Retrieval scores of what an inferencer computes, by the benchmarks of a config."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.config import Config

from hplreid.evaluation import FeatureSet
from hplreid.evaluation.inspection.scored_features import rank_features
from hplreid.registry import DATASETS

from .inferencer import ReIDInferencer


def score_benchmarks(
    inferencer: ReIDInferencer, config: Config
) -> dict[str, dict[str, float]]:
    """Score a model on the benchmarks of a config, as ``tools/test.py`` does.

    Args:
        inferencer: The model, in PyTorch or exported.
        config: With ``test_dataloader``; benchmarks whose task the model can't do are
            left out.

    Returns:
        mAP and R1 in percent of each benchmark, by name.

    Raises:
        MissingDataError: Data aren't there.

    Example:
        >>> score_benchmarks(inferencer, config)  # doctest: +SKIP
        {'synthpeds_i2i': {'mAP': 52.5, 'R1': 54.0}, ...}
    """
    scores = {}
    for name, loader in (config.get('test_dataloader') or {}).items():
        settings = dict(loader['dataset'].to_dict(), pipeline=[])
        dataset = DATASETS.build(settings)
        items = [dataset.get_data_info(index) for index in range(len(dataset))]
        queries = [item for item in items if item['split'] == 'query']
        gallery = [item for item in items if item['split'] == 'gallery']
        task = 't2i' if queries[0]['img_path'] is None else 'i2i'
        if task not in inferencer.tasks:
            continue
        features = FeatureSet(
            _embed(inferencer, queries, task),
            _embed(inferencer, gallery, task),
            _column(queries, 'pid'),
            _column(gallery, 'pid'),
            _column(queries, 'camid'),
            _column(gallery, 'camid'),
        )
        ranking = rank_features(features)
        scores[name] = dict(mAP=ranking.mean_ap, R1=float(ranking.cmc[0]))
    return scores


def _embed(
    inferencer: ReIDInferencer, items: list[dict[str, Any]], task: str
) -> np.ndarray:
    if items[0]['img_path'] is None:
        return inferencer.embed_texts([item['caption'] for item in items])
    paths, camids = ([item[key] for item in items] for key in ('img_path', 'camid'))
    return inferencer.embed_images(paths, task, camids)


def _column(items: list[dict[str, Any]], key: str) -> np.ndarray:
    return np.array([item[key] for item in items])
