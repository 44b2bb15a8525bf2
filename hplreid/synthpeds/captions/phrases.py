"""Wordings of colors and garments, and helpers that join words into phrases."""

import numpy as np

COLOR_WORDS: dict[str, tuple[str, ...]] = {
    'black': ('black',),
    'dark gray': ('dark gray', 'dark grey', 'charcoal'),
    'gray': ('gray', 'grey'),
    'light gray': ('light gray', 'light grey'),
    'white': ('white',),
    'navy': ('navy', 'navy blue', 'dark blue'),
    'blue': ('blue',),
    'light blue': ('light blue', 'pale blue'),
    'teal': ('teal', 'blue-green'),
    'green': ('green',),
    'dark green': ('dark green', 'deep green'),
    'olive': ('olive', 'olive green', 'army green'),
    'yellow': ('yellow',),
    'orange': ('orange',),
    'red': ('red',),
    'maroon': ('maroon', 'dark red', 'burgundy'),
    'pink': ('pink',),
    'purple': ('purple',),
    'brown': ('brown', 'dark brown'),
    'beige': ('beige', 'tan', 'cream'),
    'blonde': ('blonde', 'blond', 'fair'),
}

_DARK = {'black', 'dark gray', 'navy', 'dark green', 'maroon', 'brown', 'purple'}
_LIGHT = {'white', 'light gray', 'light blue', 'beige', 'pink', 'yellow'}

GARMENTS: dict[str, tuple[str, ...]] = {
    't-shirt': ('t-shirt', 'tee', 'T-shirt', 'top'),
    'shirt': ('shirt', 'button-up shirt', 'collared shirt'),
    'sweater': ('sweater', 'pullover', 'jumper'),
    'hoodie': ('hoodie', 'hooded sweatshirt', 'hooded top'),
    'jacket': ('jacket', 'zip-up jacket'),
    'coat': ('coat', 'long coat', 'overcoat'),
    'dress': ('dress',),
    'jeans': ('jeans', 'denim jeans'),
    'trousers': ('trousers', 'pants', 'slacks'),
    'shorts': ('shorts',),
    'skirt': ('skirt', 'short skirt'),
    'long skirt': ('long skirt', 'ankle-length skirt'),
    'sneakers': ('sneakers', 'trainers', 'sports shoes'),
    'shoes': ('shoes',),
    'boots': ('boots',),
}

PLURAL = {'jeans', 'trousers', 'shorts', 'sneakers', 'shoes', 'boots'}

SUBJECTS = {
    'man': ('man', 'man', 'man', 'male pedestrian', 'guy', 'male'),
    'woman': ('woman', 'woman', 'woman', 'lady', 'female pedestrian', 'female'),
}


def choose(rng: np.random.Generator, options: tuple[str, ...] | list[str]) -> str:
    """Draw one of several wordings, all equally likely."""
    return options[int(rng.integers(len(options)))]


def color_phrase(rng: np.random.Generator, word: str, hedging: float) -> str:
    """Draw a wording of a color: vague or empty with probability ``hedging``."""
    if rng.random() < hedging:
        if word in _DARK:
            return choose(rng, ('dark', 'dark-colored'))
        if word in _LIGHT:
            return choose(rng, ('light', 'light-colored'))
        return ''
    return choose(rng, COLOR_WORDS[word])


def with_article(noun: str) -> str:
    """Return the noun phrase with "a" or "an" before it."""
    return ('an ' if noun[0].lower() in 'aeiou' else 'a ') + noun


def join_words(*words: str) -> str:
    """Join words with single spaces, leaving out empty ones."""
    return ' '.join(word for word in words if word)


def join_list(items: list[str], conjunction: str = 'and') -> str:
    """Join items as in "a, b and c"."""
    if len(items) < 2:
        return ''.join(items)
    return f'{", ".join(items[:-1])} {conjunction} {items[-1]}'
