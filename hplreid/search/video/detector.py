"""People in a frame: torchvision's detectors, with weights that were fetched before."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.device import get_device
from torch import Tensor

from hplreid.engine.results import hash_file
from hplreid.utils.checkpoints.torch_file import read_torch_file

from ..errors import VideoError
from ..items.item import Box

DETECTOR = 'fasterrcnn_mobilenet_v3_large_fpn'
"""On a CPU the quickest of those that find small people, too."""
DETECTORS = (
    DETECTOR,
    'fasterrcnn_resnet50_fpn',
    'fasterrcnn_resnet50_fpn_v2',
    'fcos_resnet50_fpn',
    'retinanet_resnet50_fpn',
    'retinanet_resnet50_fpn_v2',
    'ssdlite320_mobilenet_v3_large',
)
CONFIDENCE = 0.7
"""High: half a person in a gallery does more harm than one who is missed in a frame."""
LEAST_HEIGHT = 32
"""Pixels of a person's box: a quarter of what the smallest models here take."""
_PERSON = 1  # of COCO's labels


class Detection(NamedTuple):
    """A person in a frame.

    Attributes:
        box: Left, top, width and height, whole pixels inside the frame.
        confidence: 0 to 1.
    """

    box: Box
    confidence: float


class PersonDetector:
    """Finds people by a detector of torchvision, trained on COCO.

    Args:
        name: One of :data:`DETECTORS`.
        weights: Its weights, a file that torchvision publishes. Defaults to the one in
            PyTorch's cache, where ``tools/model_converters/fetch_weights.py`` puts it;
            nothing is downloaded here.
        device: ``'auto'``, or a device of PyTorch.
        confidence: Least confidence of a person, above 0, up to 1.

    Raises:
        VideoError: The name isn't known, the weights aren't there or are of another
            model, or ``confidence`` is out of range.

    Example:
        >>> PersonDetector('yolo')
        Traceback (most recent call last):
        ...
        hplreid...VideoError: detector='yolo': expected fasterrcnn_mobilenet_v3_...
    """

    def __init__(
        self,
        name: str = DETECTOR,
        weights: str | Path | None = None,
        device: str = 'auto',
        confidence: float = CONFIDENCE,
    ) -> None:
        if name not in DETECTORS:
            raise VideoError(f"detector='{name}': expected {', '.join(DETECTORS)}.")
        if not 0 < confidence <= 1:
            raise VideoError(
                f'confidence={confidence}: expected a number above 0, up to 1.'
            )
        path = find_detector_weights(name) if weights is None else Path(weights)
        if not path.is_file():
            raise VideoError(_describe_missing(name, path))
        self.confidence = confidence
        self.device = torch.device(get_device() if device == 'auto' else device)
        self.settings = dict(
            detector=name, weights_sha256=hash_file(path), confidence=confidence
        )
        self._model: Any = _build(name, path).to(self.device)

    @torch.inference_mode()
    def detect(self, pixels: np.ndarray) -> list[Detection]:
        """Find people, the surest first.

        Args:
            pixels: A frame, uint8 ``(H, W, 3)``, RGB.
        """
        image = torch.from_numpy(pixels).to(self.device).permute(2, 0, 1).float() / 255
        (found,) = self._model([image])
        chosen = (found['labels'] == _PERSON) & (found['scores'] >= self.confidence)
        boxes = found['boxes'][chosen].cpu()
        scores = found['scores'][chosen].tolist()
        boxed = zip(to_boxes(boxes, pixels.shape[:2]), scores, strict=True)
        return [Detection(box, s) for box, s in boxed if box[3] >= LEAST_HEIGHT]


def to_boxes(corners: Tensor, shape: tuple[int, ...]) -> list[Box]:
    """Return the whole pixels that corners enclose, inside a frame.

    Args:
        corners: Left, top, right and bottom, pixels, ``(N, 4)``.
        shape: Height and width of the frame.

    Example:
        >>> to_boxes(torch.tensor([[-1.0, 2.5, 9.2, 30.0]]), (20, 40))
        [(0, 2, 10, 18)]
    """
    height, width = shape
    low = corners[:, :2].floor().clamp(min=0)
    limits = torch.tensor([width, height], dtype=corners.dtype)
    high = torch.minimum(corners[:, 2:].ceil(), limits)
    return [
        (int(left), int(top), int(right - left), int(bottom - top))
        for (left, top), (right, bottom) in zip(
            low.tolist(), high.tolist(), strict=True
        )
    ]


def detector_url(name: str) -> str:
    """Return where torchvision publishes the weights of a detector.

    Example:
        >>> detector_url(DETECTOR).startswith('https://download.pytorch.org/models/')
        True
    """
    from torchvision.models import get_model_weights  # noqa: PLC0415, a second

    return str(get_model_weights(name).DEFAULT.url)


def find_detector_weights(name: str) -> Path:
    """Return where the weights of a detector are, or would be, in PyTorch's cache."""
    return Path(torch.hub.get_dir()) / 'checkpoints' / detector_url(name).split('/')[-1]


def _describe_missing(name: str, path: Path) -> str:
    return (
        f"The weights of detector '{name}' are not there: '{path}' does not exist. "
        f'Fetch them once: python tools/model_converters/fetch_weights.py {name} coco '
        f'(from {detector_url(name)}), or give a file: --detector-weights.'
    )


def _build(name: str, path: Path) -> torch.nn.Module:
    from torchvision.models import get_model  # noqa: PLC0415

    model = get_model(name, weights=None, weights_backbone=None)
    try:
        model.load_state_dict(read_torch_file(path))
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        fault = next((line for line in str(error).split('\n') if ': ' in line), error)
        raise VideoError(
            f"'{path}' has no weights of torchvision's {name}: {str(fault).strip()}"
        ) from None
    return model.eval()
