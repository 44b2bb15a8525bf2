"""Statistics of a split: counts, image sizes and caption lengths."""

from collections import Counter
from collections.abc import Mapping
from statistics import mean, median
from typing import Any

from ..transforms.caption_tokens import CONTEXT_LENGTH
from .file_inspection import FileFacts
from .split_reader import Split


def describe_split(
    split: Split, facts: Mapping[str, FileFacts], tokens: Mapping[str, int]
) -> dict[str, Any]:
    """Return the statistics of a split.

    Args:
        split: The split.
        facts: Facts about its image files.
        tokens: Number of tokens of its captions.

    Returns:
        JSON-serializable values: ``name``, ``parts`` (identities and images of each),
        ``cameras``, ``images`` (sizes and modes; None if none was decoded) and
        ``captions`` (None if there are none).
    """
    parts: dict[str, dict[str, int]] = {}
    for part in dict.fromkeys(item['split'] for item in split.items):
        items = [item for item in split.items if item['split'] == part]
        parts[part] = {
            'items': len(items),
            'identities': len({item['pid'] for item in items}),
            'images': len({i['img_path'] for i in items if i['img_path']}),
        }
    cameras = {i['camid'] for i in split.items if i['img_path'] and i['camid'] >= 0}
    return {
        'name': split.name,
        'task': split.task,
        'parts': parts,
        'cameras': len(cameras),
        'images': describe_images(split, facts),
        'captions': describe_captions(split, tokens),
    }


def describe_images(
    split: Split, facts: Mapping[str, FileFacts]
) -> dict[str, Any] | None:
    """Return minimum, median and maximum of width and height, and counts of modes."""
    decoded = [facts[path] for path in split.paths if facts[path].size]
    if not decoded:
        return None
    widths, heights = zip(*(fact.size for fact in decoded if fact.size), strict=True)
    return {
        'decoded': len(decoded),
        'width': [min(widths), median(widths), max(widths)],
        'height': [min(heights), median(heights), max(heights)],
        'modes': dict(Counter(fact.mode for fact in decoded).most_common()),
    }


def describe_captions(split: Split, tokens: Mapping[str, int]) -> dict[str, Any] | None:
    """Return number, length and repetition of the captions."""
    captions = [i['caption'] for i in split.items if i['caption'] is not None]
    if not captions:
        return None
    words = [len(caption.split()) for caption in captions]
    return {
        'captions': len(captions),
        'distinct': len(set(captions)),
        'most_often': Counter(captions).most_common(1)[0][1],
        'words': [min(words), round(mean(words), 1), max(words)],
        'tokens': max(tokens[caption] for caption in captions),
        'cut': sum(tokens[caption] > CONTEXT_LENGTH for caption in captions),
    }
