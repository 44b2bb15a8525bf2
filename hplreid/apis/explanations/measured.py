"""How faithful a trained model's maps are, beside random ones and plain attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hplreid.datasets import BaseReIDDataset
from hplreid.datasets.benchmarks.caption_annotations import read_entries
from hplreid.datasets.benchmarks.captioned_dataset import CaptionedDataset
from hplreid.models.reid.image_reid import ImageReID
from hplreid.synthpeds import person_mask, render_part_maps
from hplreid.synthpeds.captions import find_named_parts
from hplreid.utils.user_error import UserError
from hplreid.visualization.explain import (
    PerturbationCurves,
    Pointing,
    Word,
    explain_caption,
    explain_directions,
    explain_pair,
    perturb_images,
    point,
    record_attention,
    split_words,
    tokenize_caption,
    word_directions,
)
from hplreid.visualization.explain.explainer import Inputs, check_captions
from hplreid.visualization.explain.faithfulness import MODES

from .single_items import SingleItems

# A part that covers less of an image is hardly seen: 20 pixels of 128 x 64
_LEAST_AREA = 20 / 8192


@dataclass(frozen=True)
class ImagePair:
    """An image, and another one of the same person under another camera.

    Attributes:
        pid: Who it is.
        paths: Of both.
        camids: Of both.
    """

    pid: int
    paths: tuple[str, str]
    camids: tuple[int, int]


@dataclass(frozen=True)
class CaptionedImage:
    """An image, and a caption of it.

    Attributes:
        pid: Who it is.
        path: Of the image.
        caption: The caption.
    """

    pid: int
    path: str
    caption: str


@dataclass
class Measured:
    """What was measured of one kind of maps.

    Attributes:
        curves: By mode, of each batch.
        person: Where relevance falls, on the person or not, of each batch.
        words: The same for nouns and the parts that they name.
        phrases: The same for nouns with the words that describe them.
    """

    curves: dict[str, list[PerturbationCurves]] = field(default_factory=dict)
    person: list[Pointing] = field(default_factory=list)
    words: list[Pointing] = field(default_factory=list)
    phrases: list[Pointing] = field(default_factory=list)

    def join_curves(self, mode: str) -> PerturbationCurves:
        """Return the curves of all batches, in units of the score of whole images."""
        first, scores = self.curves[mode][0], [c.scores for c in self.curves[mode]]
        return PerturbationCurves(first.shares, torch.cat(scores)).relative(mode)


def find_pairs(dataset: BaseReIDDataset, num: int) -> list[ImagePair]:
    """Return query images of a benchmark, spread over it, each with its first match.

    Args:
        dataset: With images as queries.
        num: How many, at most.

    Raises:
        UserError: There is none.
    """
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    images = [item for item in items if item['img_path'] is not None]
    found = []
    for query in (item for item in images if item['split'] == 'query'):
        match = next(
            (
                item
                for item in images
                if item['split'] == 'gallery'
                and item['pid'] == query['pid']
                and item['camid'] != query['camid']
            ),
            None,
        )
        if match is not None:
            paths = query['img_path'], match['img_path']
            camids = query['camid'], match['camid']
            found.append(ImagePair(query['pid'], paths, camids))
    if not found:
        raise UserError('No query image has a match under another camera.')
    return _spread(found, num)


def find_captioned(dataset: CaptionedDataset, num: int) -> list[CaptionedImage]:
    """Return captions of a benchmark, spread over it, with the images they describe.

    Args:
        dataset: Of captions.
        num: How many, at most.
    """
    annotation = dataset.find_annotation(dataset.data_root)
    assert annotation is not None  # else the dataset couldn't have been read
    entries = read_entries(annotation, dataset.annotation_format)
    root = Path(dataset.data_root) / 'imgs'
    found = [
        CaptionedImage(entry.pid, str(root / entry.file_path), entry.captions[0])
        for entry in entries
        if entry.split == dataset.split
    ]
    return _spread(sorted(found, key=lambda one: one.path), num)


def measure_pairs(
    opened: SingleItems,
    pairs: Sequence[ImagePair],
    features: Sequence[str],
    kinds: Sequence[str],
    masks_of: Path | None = None,
    batch: int = 32,
) -> Iterator[dict[str, Measured]]:
    """Explain queries by their matches, and measure the maps of the queries.

    Args:
        opened: The model.
        pairs: Queries and matches.
        features: Names of features.
        kinds: Some of ``KINDS``.
        masks_of: Folder of the SynthPeds dataset that has the images; None for no
            pointing game.
        batch: Images at a time, at least 2: the others in it are those that an image
            is to be told from.

    Yields:
        After each batch all that was measured, by kind.
    """
    model = opened.model
    assert isinstance(model, ImageReID)
    measured = {kind: Measured() for kind in kinds}
    for start, some in _cut(pairs, batch):
        first, second = (
            opened.read_images(
                [pair.paths[side] for pair in some], [p.camids[side] for p in some]
            )[0]
            for side in range(2)
        )
        with record_attention(model), torch.no_grad():
            (target,) = model.image_features(second, tuple(features))
        masks = _person_masks([pair.paths[0] for pair in some], masks_of)
        explain = partial(explain_pair, model, first, second, features, seed=start)
        pids = torch.tensor([pair.pid for pair in some])
        case = _Case(first, tuple(features), target, pids, masks)
        for kind, one in measured.items():
            explained, _ = explain(kind=kind)
            _measure(model, case, explained.maps, one)
        yield measured


def measure_captions(
    opened: SingleItems,
    captioned: Sequence[CaptionedImage],
    kinds: Sequence[str],
    masks_of: Path | None = None,
    batch: int = 32,
) -> Iterator[dict[str, Measured]]:
    """Explain images by their captions, and words by the regions they light.

    Args:
        opened: The model, one with captions.
        captioned: Images and captions.
        kinds: Some of ``KINDS``.
        masks_of: See :func:`measure_pairs`.
        batch: Images at a time, at least 2.

    Yields:
        After each batch all that was measured, by kind.
    """
    model = check_captions(opened.model)
    measured = {kind: Measured() for kind in kinds}
    for start, some in _cut(captioned, batch):
        first, _ = opened.read_images([one.path for one in some])
        tokens = [tokenize_caption(one.caption) for one in some]
        captions = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
        captions = captions.to(first['images'].device)
        with torch.no_grad():
            target = model.text_encoder(captions, ('t',))['t']
        parts = masks = None
        if masks_of is not None:
            parts = render_part_maps(masks_of, [one.path for one in some])
            masks = _stack([person_mask(p) for p in parts])
        explain = partial(explain_caption, model, first, captions, seed=start)
        pids = torch.tensor([one.pid for one in some])
        case = _Case(first, (model.t2i_feature,), target, pids, masks)
        for kind, one in measured.items():
            _measure(model, case, explain(kind=kind).maps, one)
        if parts is not None:
            _point_words(opened, first, tokens, parts, measured, start)
        yield measured


@dataclass(frozen=True)
class _Case:
    """Images that are explained, and what they are compared with."""

    inputs: Inputs
    features: tuple[str, ...]
    target: Tensor
    pids: Tensor
    masks: Tensor | None


def _measure(model: ImageReID, case: _Case, maps: Tensor, measured: Measured) -> None:
    """Put curves, and where relevance falls, of maps on what was measured."""

    def score(images: Tensor) -> Tensor:
        given = {**case.inputs, 'images': images}
        (found,) = model.image_features(given, case.features)
        return lead(found, case.target, case.pids.to(found.device))

    for mode in MODES:
        curves = perturb_images(score, case.inputs['images'], maps, mode)
        measured.curves.setdefault(mode, []).append(curves)
    if case.masks is not None:
        measured.person.append(point(maps.cpu(), case.masks))


def _point_words(
    opened: SingleItems,
    inputs: Inputs,
    tokens: Sequence[Tensor],
    parts: Sequence[np.ndarray],
    measured: dict[str, Measured],
    seed: int,
) -> None:
    """Play the pointing game with nouns, with their phrases, and what they name."""
    model = check_captions(opened.model)
    device = inputs['images'].device
    rows, masks = [], []
    of_nouns, of_phrases = [], []
    for row, (caption, seen) in enumerate(zip(tokens, parts, strict=True)):
        words, nouns, phrases = split_words(caption), [], []
        for named in find_named_parts([word.text for word in words]):
            mask = np.isin(seen, named.parts)
            if mask.mean() < _LEAST_AREA:
                continue
            noun, first = words[named.noun], words[named.first]
            nouns.append(noun)
            phrases.append(Word(noun.text, first.start, noun.stop))
            rows.append(row)
            masks.append(mask)
        of_nouns.append(word_directions(model, caption.to(device), nouns))
        of_phrases.append(word_directions(model, caption.to(device), phrases))
    if not rows:
        return
    chosen = {key: inputs[key][rows] for key in ('images', 'camids')}
    stacked = _stack(masks)
    for kind, one in measured.items():
        for given, found in ((of_nouns, one.words), (of_phrases, one.phrases)):
            maps = explain_directions(model, chosen, torch.cat(given), kind, seed).maps
            found.append(point(maps.cpu(), stacked))


def lead(features: Tensor, targets: Tensor, pids: Tensor) -> Tensor:
    """Return how much more similar each item is to its own target than to others'.

    The cosine with its own less the mean of those with targets of other identities.
    Features of a tower may have much in common, whoever is seen: the lead is what a
    search goes by.

    Args:
        features: ``(B, d)``.
        targets: ``(B, d)``.
        pids: Identities, ``(B,)``.

    Returns:
        ``(B,)``.

    Raises:
        UserError: An item has no other identity beside it.

    Example:
        >>> lead(torch.eye(2), torch.eye(2), torch.tensor([7, 8]))
        tensor([1., 1.])
    """
    cosines = F.normalize(features, dim=1) @ F.normalize(targets, dim=1).T
    others = (pids[:, None] != pids).to(cosines)
    if not others.any(dim=1).all():
        raise UserError(
            'A batch shows one identity alone, so that there is nobody to be told '
            'from: take a larger batch, or more images.'
        )
    return cosines.diagonal() - (cosines * others).sum(dim=1) / others.sum(dim=1)


def _person_masks(paths: Sequence[str], masks_of: Path | None) -> Tensor | None:
    if masks_of is None:
        return None
    return _stack([person_mask(parts) for parts in render_part_maps(masks_of, paths)])


def _stack(masks: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(masks))


def _cut(items: Sequence, batch: int) -> Iterator[tuple[int, Sequence]]:
    """Yield batches and where each begins; one item is left over for none."""
    for start in range(0, len(items), batch):
        if len(items) - start > 1:
            yield start, items[start : start + batch]


def _spread(items: list, num: int) -> list:
    """Return at most ``num`` items, evenly spaced."""
    places = np.linspace(0, len(items) - 1, min(num, len(items))).round().astype(int)
    return [items[place] for place in places]


def summarize(values: Tensor) -> tuple[float, float]:
    """Return the mean of a measure over images, and its standard error.

    Example:
        >>> summarize(torch.tensor([1.0, 2.0, 3.0]))
        (2.0, 0.577...)
    """
    values = values.double()
    error = values.std() / len(values) ** 0.5 if len(values) > 1 else torch.zeros(())
    return float(values.mean()), float(error)
