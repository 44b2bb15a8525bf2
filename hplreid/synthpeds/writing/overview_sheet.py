"""An overview sheet of identities, cameras and captions."""

import textwrap
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ..camera.camera import CAMERAS
from ..captions.caption import make_caption
from ..difficulty import Difficulty
from ..person_image import camera_index_of, make_image
from ..sizes import FIRST_IDENTITY

_SCALE, _GAP, _TEXT = 1.25, 6, 330


def write_overview(
    path: Path, seed: int, difficulty: Difficulty, num_identities: int = 6
) -> None:
    """Draw identities as the six cameras see them, with captions beside each row.

    Args:
        path: PNG file to write.
        seed: Seed of the dataset.
        difficulty: Difficulty settings.
        num_identities: Number of rows. The identities are in no split; rows
            come in pairs from one cluster and may share all attributes.
    """
    cell = (round(64 * _SCALE), round(128 * _SCALE))
    width = _GAP + len(CAMERAS) * (cell[0] + _GAP) + _TEXT
    top = 22
    sheet = Image.new(
        'RGB', (width, top + num_identities * (cell[1] + _GAP)), (250, 250, 248)
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for i in range(len(CAMERAS)):
        at = (_GAP + i * (cell[0] + _GAP), 5)
        pen.text(at, f'camera {i + 1}', fill=(60, 60, 60), font=font)
    with torch.inference_mode():
        for row in range(num_identities):
            identity_number = FIRST_IDENTITY['overview'] + 44 + row * 2
            y = top + row * (cell[1] + _GAP)
            lines: list[str] = []
            for image_index in range(len(CAMERAS)):
                rendered = make_image(seed, identity_number, image_index, difficulty)
                image = Image.fromarray(rendered.pixels).resize(
                    cell, Image.Resampling.BICUBIC
                )
                camera = camera_index_of(seed, identity_number, image_index)
                sheet.paste(image, (_GAP + camera * (cell[0] + _GAP), y))
                if image_index < 2:
                    text = make_caption(rendered, seed, image_index, 0, difficulty).text
                    lines += textwrap.wrap(f'[{camera + 1}] {text}', 52)
            x = _GAP + len(CAMERAS) * (cell[0] + _GAP)
            pen.multiline_text((x, y), '\n'.join(lines), (20, 20, 20), font, spacing=3)
    sheet.save(path, optimize=True)
