"""What the tool of explanations draws: from images on disk to a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from mmengine.config import Config

from hplreid.models.reid.image_reid import ImageReID
from hplreid.visualization.explain import (
    ExplainError,
    MapPanel,
    Word,
    choose_features,
    draw_caption,
    draw_feature_maps,
    draw_maps,
    explain_caption,
    explain_directions,
    explain_feature,
    explain_pair,
    find_phrase,
    shown_features,
    split_words,
    sum_words,
    tokenize_caption,
    word_directions,
)
from hplreid.visualization.explain.drawing import shorten, to_array
from hplreid.visualization.explain.explainer import check_captions
from hplreid.visualization.explain.routes import check_tower

from .single_items import SingleItems, benchmarks_of, open_benchmark

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of a caption, this many words have a map unless others are asked for
_MOST_WORDS = 5


def choose_queries(
    config: Config,
    opened: SingleItems,
    paths: Sequence[Path],
    camids: Sequence[int] | None,
    num: int,
) -> tuple[list[Path], list[int]]:
    """Return images and their cameras.

    Args:
        config: The config.
        opened: The model.
        paths: The images; none for the first queries of the first benchmark that has
            images as queries.
        camids: Their cameras; None where nobody said.
        num: How many queries.

    Raises:
        UserError: No benchmark has image queries, or its data are missing.
        ExplainError: The model embeds cameras, and that of an image isn't known.

    Example:
        >>> choose_queries(config, opened, [], None, num=4)  # doctest: +SKIP
    """
    if paths and camids is not None:
        return list(paths), list(camids)
    needs = getattr(opened.model.image_encoder, 'num_cameras', 0) > 0
    if paths and not needs:
        return list(paths), [-1] * len(paths)
    cameras: dict[Path, int] = {}
    for name in benchmarks_of(config):
        dataset = open_benchmark(config, name)
        items = [dataset.get_data_info(i) for i in range(len(dataset))]
        images = [item for item in items if item['img_path'] is not None]
        queries = [item for item in images if item['split'] == 'query'] or images
        if not paths and queries:
            chosen = queries[:num]
            return (
                [Path(item['img_path']) for item in chosen],
                [item['camid'] for item in chosen],
            )
        cameras |= {Path(i['img_path']).resolve(): i['camid'] for i in images}
    unknown = [path for path in paths if path.resolve() not in cameras]
    if unknown:
        raise ExplainError(
            f"The model embeds cameras, and {unknown[0]} is none of its benchmarks' "
            'images: say its camera with --camera.'
        )
    return list(paths), [cameras[path.resolve()] for path in paths]


def draw_tokens_of(
    opened: SingleItems,
    paths: Sequence[Path],
    camids: Sequence[int],
    tokens: Sequence[str] | None,
    kind: str,
) -> Figure:
    """Draw maps of single images, one for each class token.

    Args:
        opened: The model.
        paths: The images.
        camids: Their cameras.
        tokens: Tokens or features. Defaults to all class tokens, or to what images are
            compared by where the method makes that of them.
        kind: One of ``KINDS``.

    Example:
        >>> draw_tokens_of(
        ...     opened, [Path('a.jpg')], [-1], ['v', 'u'], 'gradient'
        ... )  # doctest: +SKIP
    """
    model = cast(ImageReID, opened.model)
    names = shown_features(model, tokens)
    inputs, pixels = opened.read_images(paths, camids)
    maps = {
        ' + '.join(name): explain_feature(model, inputs, name, kind).maps
        for name in names
    }
    return draw_feature_maps(
        pixels,
        [path.stem for path in paths],
        maps,
        f'{type(model).__name__}: what a feature is made of',
    )


def draw_pairs_of(
    opened: SingleItems,
    paths: Sequence[Path],
    camids: Sequence[int],
    tokens: Sequence[str] | None,
    kind: str,
) -> Figure:
    """Draw why images are similar, in both.

    Args:
        opened: The model.
        paths: First images, then as many others.
        camids: Their cameras.
        tokens: Tokens or features. Defaults to what images are compared by.
        kind: One of ``KINDS``.

    Example:
        >>> draw_pairs_of(
        ...     opened, [Path('a.jpg'), Path('b.jpg')], [-1, -1], None, 'gradient'
        ... )  # doctest: +SKIP
    """
    check_tower(opened.model)
    model = cast(ImageReID, opened.model)
    wanted: Sequence[str | None] = tokens or [None]
    names = [choose_features(model, token) for token in wanted]
    half = len(paths) // 2
    inputs, pixels = opened.read_images(paths, camids)
    first = {key: inputs[key][:half] for key in ('images', 'camids')}
    second = {key: inputs[key][half:] for key in ('images', 'camids')}
    pairs = [explain_pair(model, first, second, name, kind) for name in names]
    rows = []
    for number in range(half):
        panels = []
        for side in range(2):
            image = to_array(pixels[number + side * half])
            title = shorten(paths[number + side * half].stem)
            panels.append(MapPanel(image, title=title))
            for name, pair in zip(names, pairs, strict=True):
                relevance = pair[side].maps[number].cpu().numpy()
                score = f'{" + ".join(name)}: {float(pair[side].scores[number]):.2f}'
                panels.append(MapPanel(image, relevance, score))
        rows.append(panels)
    return draw_maps(rows, f'{type(model).__name__}: why two images are similar')


def draw_caption_of(
    opened: SingleItems,
    path: Path,
    camid: int,
    caption: str,
    wanted: Sequence[str] | None,
    kind: str,
) -> Figure:
    """Draw why an image and a caption are similar, and which word lights what.

    Args:
        opened: The model.
        path: The image.
        camid: Its camera.
        caption: The caption.
        wanted: Words, or phrases of several, whose maps are drawn. Defaults to the five
            most relevant words.
        kind: One of ``KINDS``.

    Raises:
        ExplainError: The method has no captions, the caption is too long, or has no
            such word.

    Example:
        >>> draw_caption_of(
        ...     opened, Path('a.jpg'), -1, 'a man in red', ['red'], 'gradient'
        ... )  # doctest: +SKIP
    """
    model = check_captions(opened.model)
    tokens = tokenize_caption(caption, model.text_encoder.context_length)
    words = split_words(tokens)
    inputs, pixels = opened.read_images([path], [camid])
    on_device = tokens.to(inputs['images'].device)
    found = explain_caption(model, inputs, on_device[None], kind)
    assert found.tokens is not None
    shares = sum_words(found.tokens[0], words)
    chosen = _choose_words(words, shares, wanted)
    directions = word_directions(model, on_device, chosen)
    repeated = {
        key: inputs[key].expand(len(chosen), *inputs[key].shape[1:])
        for key in ('images', 'camids')
    }
    maps = explain_directions(model, repeated, directions, kind).maps
    image = to_array(pixels[0])
    return draw_caption(
        image,
        found.maps[0],
        [(word.text, share) for word, share in zip(words, shares, strict=True)],
        {word.text: one for word, one in zip(chosen, maps, strict=True)},
        f'{type(model).__name__}: similarity {float(found.scores[0]):.2f}',
    )


def _choose_words(
    words: Sequence[Word], shares: Sequence[float], wanted: Sequence[str] | None
) -> list[Word]:
    """Return the words whose maps are drawn, in the order of the caption, each once."""
    if wanted:
        found = [find_phrase(words, text) for text in dict.fromkeys(wanted)]
        return sorted(found, key=lambda word: word.start)
    order = torch.tensor(shares).argsort(descending=True, stable=True).tolist()
    ranked = [words[i] for i in order if words[i].text.isalnum()]
    by_text = {word.text: word for word in reversed(ranked)}  # of each the best
    best = sorted(by_text.values(), key=ranked.index)[:_MOST_WORDS]
    return sorted(best, key=lambda word: word.start)
