"""Captions mention visible parts only; wording, length and variety."""

import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from hplreid.synthpeds import Difficulty
from hplreid.synthpeds.captions.caption import MAX_WORDS, MIN_WORDS, make_caption
from hplreid.synthpeds.captions.visible_facts import MIN_VISIBLE_AREA
from hplreid.synthpeds.figure import Part
from hplreid.synthpeds.person_image import PersonImage, make_image
from hplreid.synthpeds.wardrobe import make_identity

# Wordings, and the parts of which at least one must be visible.
PARTS_OF_WORDING = {
    r'\b(backpack|rucksack)\b': (Part.BAG, Part.STRAP),
    r'\b(handbag|hand bag|bag in the hand)\b': (Part.BAG,),
    r'\b(shoulder bag|crossbody bag|messenger bag)\b': (Part.BAG,),
    r'\bstraps?\b': (Part.STRAP,),
    r'\b(cap|beanie|hat)\b': (Part.HAT,),
    r'\b(glasses|sunglasses)\b': (Part.GLASSES,),
    r'\b(print|logo|graphic|design)\b': (Part.PRINT,),
    r'\b(sneakers|trainers|shoes|boots)\b': (Part.SHOES,),
    r'\bhair\b': (Part.HAIR,),
    r'\b(jeans|trousers|pants|slacks|shorts|skirt)\b': (Part.LOWER,),
    r'\b(underneath|open)\b': (Part.INNER, Part.UPPER),
}


@pytest.fixture(scope='module')
def images():
    """Images of many identities, each with its image index."""
    with torch.inference_mode():
        return [
            (make_image(3, number, number % 6, Difficulty()), number % 6)
            for number in range(0, 96, 2)
        ]


def test_captions_mention_visible_parts_only(images):
    for image, index in images:
        for which in range(2):
            text = make_caption(image, 3, index, which, Difficulty()).text.lower()
            for pattern, parts in PARTS_OF_WORDING.items():
                if re.search(pattern, text):
                    seen = [image.area(p) >= MIN_VISIBLE_AREA[p] for p in parts]
                    assert any(seen), (text, pattern)


def test_part_map_decides_what_is_mentioned(images):
    """Removing a part from the part map removes it from every caption."""
    erased = 0
    for image, index in images:
        before = make_caption(image, 3, index, 0, Difficulty(omission=0))
        if 'shoes' not in before.topics:
            continue
        parts = np.where(image.parts == Part.SHOES, 0, image.parts)
        bare = replace(image, parts=parts)
        after = make_caption(bare, 3, index, 0, Difficulty(omission=0))
        assert 'shoes' not in after.topics
        erased += 1
    assert erased > 10


def test_caption_lengths_and_variety(images):
    texts = [
        make_caption(image, 3, index, which, Difficulty()).text
        for image, index in images
        for which in range(2)
    ]
    counts = [len(text.split()) for text in texts]
    assert min(counts) >= MIN_WORDS
    assert max(counts) <= MAX_WORDS
    assert len(set(texts)) == len(texts)
    assert any(text[0].islower() for text in texts)
    assert any(text[0].isupper() for text in texts)


def test_badly_cropped_image_gets_a_caption():
    image = make_image(0, 5, 1000, Difficulty(), junk=True)
    text = make_caption(image, 0, 1000, 0, Difficulty()).text
    assert MIN_WORDS <= len(text.split()) <= MAX_WORDS


def test_wording_never_changes():
    """Datasets, cached features and checkpoints depend on every word of a caption."""
    parts = np.repeat(np.arange(len(Part), dtype=np.uint8), 600).reshape(-1, 60)
    pixels = np.zeros((2, 1, 3), np.uint8)
    texts = []
    for number in range(400):
        person = make_identity(0, number, Difficulty())
        hidden = [(), (Part.BAG, Part.INNER), tuple(Part)[:-3], tuple(Part)][number % 4]
        hidden += (Part.LOWER,) if person.attributes.lower == 'none' else ()
        shown = np.where(np.isin(parts, hidden), 0, parts)
        view = ('front', 'back', 'side')[number % 3]
        image = PersonImage(person, 0, view, number % 2 == 0, pixels, 90, shown)
        texts += [
            make_caption(image, 0, number % 6, k, Difficulty()).text for k in range(2)
        ]
    assert zlib.crc32('\n'.join(texts).encode()) == 0x3693B804
