"""Maps of relevance: for a feature, a pair of images, a caption.

Each function computes features as a test does, but for how attention is executed, and
asks what of the inputs they, or their similarity, come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hplreid.models.reid.dual_encoder import DualEncoder
from hplreid.models.reid.image_reid import ImageReID
from hplreid.utils.argument_checks import check_one_of

from .errors import ExplainError
from .kinds import KINDS
from .propagation import grad_cam, normalize_map
from .recording import record_attention
from .routes import Weighed, check_tower, map_layer, trace_patches, trace_words

Inputs = dict[str, Tensor]
"""``images`` ``(B, 3, H, W)``, normalized, and ``camids`` ``(B,)``, as
:class:`.ReIDDataPreprocessor` makes them."""


@dataclass(frozen=True)
class Explanation:
    """What a score comes from.

    Attributes:
        maps: Share of each patch, ``(B, rows, columns)``, at least 0, each summing
            to 1.
        scores: What was explained, ``(B,)``.
        tokens: Share of each token of a caption, ``(B, L)``, those of start, end and
            padding 0; None without captions.
    """

    maps: Tensor
    scores: Tensor
    tokens: Tensor | None = None


def shown_features(
    model: ImageReID, tokens: Sequence[str] | None = None
) -> list[tuple[str, ...]]:
    """Return the features that maps are drawn of, side by side.

    Args:
        model: The method.
        tokens: Tokens or features. Defaults to all class tokens, or to what images are
            compared by where the method makes that of them.

    Raises:
        ExplainError: See :func:`choose_features`.

    Example:
        >>> shown_features(model, ['v', 'u'])  # doctest: +SKIP
        [('v',), ('u',)]
    """
    check_tower(model)
    own = getattr(model.image_encoder, 'class_names', ())
    names: Sequence[str | None] = list(own) if len(own) > 1 else [None]
    return [choose_features(model, name) for name in tokens or names]


def choose_features(model: nn.Module, token: str | None = None) -> tuple[str, ...]:
    """Return the features that a map is of.

    Args:
        model: The method.
        token: A class token, or any feature that the method compares images by.
            Defaults to those that it compares images by.

    Raises:
        ExplainError: The method's images have no such feature, or its tower is of a
            kind that can't be explained.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> model = MODELS.build(dict(type='ImageReID', image_encoder=tower))
        >>> choose_features(model), choose_features(model, 'v_post')
        (('v',), ('v_post',))
    """
    check_tower(model)
    assert isinstance(model, ImageReID)
    if token is None:
        return model.i2i_feature
    forms = model.forms('')
    known = sorted(
        name
        for name in {*model.retrievable(), *model.necks}
        if forms[name].kind == 'vector' and forms[name].rows is not None
    )
    if token not in known:
        raise ExplainError(
            f"{type(model).__name__} has no token or feature '{token}' of an image: "
            f'expected one of {", ".join(known)}.'
        )
    return (token,)


def explain_feature(
    model: ImageReID,
    inputs: Inputs,
    features: Sequence[str],
    kind: str = 'gradient',
    seed: int = 0,
) -> Explanation:
    """Explain a feature of single images: what gives it its length.

    The score is ``f . f0 / |f0|`` with ``f0`` the feature itself, held constant: its
    gradient is that of the length. (The similarity of a feature to itself has none.)

    Args:
        model: The method.
        inputs: Images.
        features: Names from :func:`choose_features`; several are joined.
        kind: One of ``KINDS``.
        seed: Of ``'random'``.

    Raises:
        ExplainError: The feature, or the kind for this tower, can't be explained.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> model = MODELS.build(dict(type='ImageReID', image_encoder=tower))
        >>> images, camids = torch.randn(2, 3, 64, 32), torch.tensor([0, 1])
        >>> inputs = dict(images=images, camids=camids)
        >>> explain_feature(model, inputs, ('v',)).maps.shape
        torch.Size([2, 4, 2])
    """

    def length(joined: Tensor) -> Tensor:
        return (joined * F.normalize(joined.detach(), dim=1)).sum(dim=1)

    return _explain(model, inputs, features, length, kind, seed)


def explain_pair(
    model: ImageReID,
    first: Inputs,
    second: Inputs,
    features: Sequence[str],
    kind: str = 'gradient',
    seed: int = 0,
) -> tuple[Explanation, Explanation]:
    """Explain why images are similar: the cosine of their features, in both images.

    Args:
        model: The method.
        first: B images.
        second: As many, one for each of ``first``.
        features: Names from :func:`choose_features`; several are joined.
        kind: One of ``KINDS``.
        seed: Of ``'random'``.

    Returns:
        For each side maps of its images; both have the cosines as scores.

    Raises:
        ExplainError: The feature, or the kind for this tower, can't be explained.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> model = MODELS.build(dict(type='ImageReID', image_encoder=tower))
        >>> images, camids = torch.randn(2, 3, 64, 32), torch.tensor([0, 1])
        >>> inputs = dict(images=images, camids=camids)
        >>> one, other = explain_pair(model, inputs, inputs, ('v',))
        >>> one.maps.shape, other.scores.round(decimals=2)
        (torch.Size([2, 4, 2]), tensor([1., 1.]))
    """
    both = {key: torch.cat([first[key], second[key]]) for key in ('images', 'camids')}

    def similarity(joined: Tensor) -> Tensor:
        one, other = joined.chunk(2)
        return F.cosine_similarity(one, other)

    found = _explain(model, both, features, similarity, kind, seed)
    one, other = found.maps.chunk(2)
    return Explanation(one, found.scores), Explanation(other, found.scores)


def explain_caption(
    model: ImageReID,
    inputs: Inputs,
    captions: Tensor,
    kind: str = 'gradient',
    seed: int = 0,
) -> Explanation:
    """Explain why images and captions are similar: their cosine, in both.

    Args:
        model: A method with captions.
        inputs: B images.
        captions: Token ids, ``(B, L)`` int64, one for each image.
        kind: One of ``KINDS``.
        seed: Of ``'random'``.

    Raises:
        ExplainError: The method has no captions, or its feature or the kind for this
            tower can't be explained.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> text = dict(type='CLIPTextEncoder')
        >>> model = MODELS.build(
        ...     dict(type='DualEncoder', image_encoder=tower, text_encoder=text)
        ... )
        >>> images, camids = torch.randn(2, 3, 64, 32), torch.tensor([0, 1])
        >>> inputs = dict(images=images, camids=camids)
        >>> captions = torch.tensor([[49406, 320, 736, 2523, 49407]] * 2)
        >>> found = explain_caption(model, inputs, captions)
        >>> found.maps.shape, found.tokens.shape, found.tokens[:, 0].tolist()
        (torch.Size([2, 4, 2]), torch.Size([2, 5]), [0.0, 0.0])
    """
    model = check_captions(model)
    text: list[Tensor] = []

    def similarity(joined: Tensor) -> Tensor:
        encoded = model.text_encoder(captions, ('t',))
        text.append(encoded['eot'])
        return F.cosine_similarity(joined, encoded['t'])

    weighed: list[Weighed] = []
    found = _explain(
        model, inputs, (model.t2i_feature,), similarity, kind, seed, weighed
    )
    eot = text[0]
    places = torch.arange(captions.shape[1], device=eot.device)
    inner = (places > 0) & (places < eot.unsqueeze(1))
    if kind == 'random':
        tokens = _draw((len(eot), len(places)), seed + 1).to(eot.device)
    else:
        tokens = trace_words(eot, weighed, kind).detach()
    return Explanation(found.maps, found.scores, normalize_map(tokens * inner))


def explain_directions(
    model: ImageReID,
    inputs: Inputs,
    directions: Tensor,
    kind: str = 'gradient',
    seed: int = 0,
) -> Explanation:
    """Explain how far images go in directions of the space that captions are in.

    Args:
        model: A method with captions.
        inputs: B images.
        directions: ``(B, d)``, one for each image; of a word, see
            :func:`.word_directions`.
        kind: One of ``KINDS``.
        seed: Of ``'random'``.

    Raises:
        ExplainError: See :func:`explain_caption`.

    Example:
        >>> from mmengine.registry import init_default_scope
        >>> from hplreid.registry import MODELS
        >>> init_default_scope('hplreid')
        >>> tower = dict(type='CLIPImageEncoder', arch='ViT-Ti-16-synthpeds')
        >>> tower['img_size'] = (64, 32)
        >>> text = dict(type='CLIPTextEncoder')
        >>> model = MODELS.build(
        ...     dict(type='DualEncoder', image_encoder=tower, text_encoder=text)
        ... )
        >>> images, camids = torch.randn(2, 3, 64, 32), torch.tensor([0, 1])
        >>> inputs = dict(images=images, camids=camids)
        >>> explain_directions(model, inputs, torch.randn(2, 128)).maps.shape
        torch.Size([2, 4, 2])
    """
    model = check_captions(model)

    def extent(joined: Tensor) -> Tensor:
        return (F.normalize(joined, dim=1) * directions).sum(dim=1)

    return _explain(model, inputs, (model.t2i_feature,), extent, kind, seed)


def check_captions(model: nn.Module) -> DualEncoder:
    """Return a model that is known to encode captions.

    Raises:
        ExplainError: It doesn't, or its tower can't be explained.
    """
    check_tower(model)
    if not isinstance(model, DualEncoder):
        raise ExplainError(
            f'{type(model).__name__} compares no captions at test: captions and words '
            'are explained for methods with a text tower, such as HPL, IRRA, Propot '
            'and CLIP.'
        )
    return model


def _explain(
    model: ImageReID,
    inputs: Inputs,
    features: Sequence[str],
    score: Callable[[Tensor], Tensor],
    kind: str,
    seed: int,
    keep: list[Weighed] | None = None,
) -> Explanation:
    """Explain a score of joined features; put the attentions on ``keep``."""
    check_one_of('kind', kind, KINDS)
    layer = map_layer(model)
    if layer is not None and kind in ('rollout', 'attention'):
        raise ExplainError(
            f"kind='{kind}': {type(model.image_encoder).__name__} has no attention "
            "between patches. Expected 'gradient', which is Grad-CAM there."
        )
    maps: list[Tensor] = []

    def start_at(_: nn.Module, __: Any, output: Tensor) -> Tensor:  # noqa: ANN401
        maps.append(output.detach().requires_grad_())
        return maps[0]

    hook = layer.register_forward_hook(start_at) if layer is not None else None
    with record_attention(model) as records, torch.set_grad_enabled(kind == 'gradient'):
        try:
            (joined,) = model.image_features(inputs, tuple(features))
            scores = score(joined)
        finally:
            if hook is not None:
                hook.remove()
    asked = maps or [record.probs for record in records]
    gradients: Sequence[Tensor | None] = [None] * len(asked)
    if kind == 'gradient':
        # Without dropout or batch statistics no score depends on another's inputs
        gradients = torch.autograd.grad(scores.sum(), asked, allow_unused=True)
    scores = scores.detach()
    if kind == 'random':
        size = (len(joined), *_grid_of(model, maps))
        return Explanation(normalize_map(_draw(size, seed)).to(joined.device), scores)
    if maps:
        (gradient,) = gradients
        assert gradient is not None
        return Explanation(normalize_map(grad_cam(maps[0].detach(), gradient)), scores)
    weighed = [
        Weighed(record, gradient)
        for record, gradient in zip(records, gradients, strict=True)
    ]
    if keep is not None:
        keep.extend(weighed)
    with torch.no_grad():
        relevance = trace_patches(model, features, weighed, kind)
    return Explanation(normalize_map(relevance), scores)


def _grid_of(model: ImageReID, maps: Sequence[Tensor]) -> tuple[int, int]:
    if maps:
        return maps[0].shape[2], maps[0].shape[3]
    return model.image_encoder.grid


def _draw(size: tuple[int, ...], seed: int) -> Tensor:
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))
