"""Numbers about a split that nobody has to be warned of."""

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
    """Count what a split holds.

    Args:
        split: The split.
        facts: What is known of its image files.
        tokens: Length of its captions.

    Returns:
        Plain values, ready for JSON: ``name``, ``parts`` (identities and images of
        each), ``cameras``, ``images`` (sizes and modes; None if none was decoded)
        and ``captions`` (None if there are none).
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
    """Return least, median and greatest width and height, and how often each mode."""
    sound = [facts[path] for path in split.paths if facts[path].size]
    if not sound:
        return None
    widths, heights = zip(*(fact.size for fact in sound if fact.size), strict=True)
    return {
        'decoded': len(sound),
        'width': [min(widths), median(widths), max(widths)],
        'height': [min(heights), median(heights), max(heights)],
        'modes': dict(Counter(fact.mode for fact in sound).most_common()),
    }


def describe_captions(split: Split, tokens: Mapping[str, int]) -> dict[str, Any] | None:
    """Return how many captions there are, how long, and how often the same."""
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
