"""Text on drawings: one font, one size, lines that fit."""

from functools import cache

from PIL import ImageFont

FONT_SIZE = 13
LINE = 16  # height of a line of text at FONT_SIZE
INK, PAPER = (25, 25, 25), (255, 255, 255)


@cache  # a page asks for it hundreds of times
def load_font(size: int = FONT_SIZE) -> ImageFont.FreeTypeFont:
    """Return the font of all drawings.

    Args:
        size: Height of the letters, pixels.

    Raises:
        RuntimeError: Pillow can't draw text.
    """
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError(
            'Pillow was built without FreeType, which draws text: install the wheel '
            'from PyPI (pip install --force-reinstall pillow).'
        )
    return font


def wrap_text(text: str, width: float, font: ImageFont.FreeTypeFont) -> list[str]:
    """Break a text into lines of at most ``width`` pixels; a long word is cut."""
    lines: list[str] = []
    line = ''
    for word in text.split():
        longer = f'{line} {word}' if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while font.getlength(word) > width:
            fits = next(
                n
                for n in range(len(word), 0, -1)
                if n == 1 or font.getlength(word[:n]) <= width
            )
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line] if line else lines
