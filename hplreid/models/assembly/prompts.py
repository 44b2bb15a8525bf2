"""Inversion networks and prompt learners of methods, and whether they fit."""

from collections.abc import Mapping, Sequence
from typing import Any

from hplreid.registry import INVERSIONS, PROMPT_LEARNERS
from hplreid.structures.feature_form import TOKENS, VECTOR, FeatureForm

from ..inversion import BaseInversion
from ..part import PartError, build_part, find_part
from .necks_and_heads import check_width


def build_inversion(
    config: Mapping[str, Any],
    place: str,
    reads: tuple[str, str],
    forms: Mapping[str, FeatureForm],
    out_channels: int,
    token_norm: float,
) -> Any:  # noqa: ANN401
    """Build a network from what a tower makes to pseudo-tokens.

    Args:
        config: Its config.
        place: Where it stands, ``'image_inversion'`` say.
        reads: Names of the class token or EOT feature, and of the sequence.
        forms: The forms of what the tower makes.
        out_channels: Width of token embeddings, D.
        token_norm: Their mean length.

    Raises:
        PartError: It is none, or reads what there isn't, or what isn't of one width.

    Example:
        >>> from hplreid.structures.feature_form import FeatureForm
        >>> forms, reads = dict(v=FeatureForm('vector', 8)), ('v', 'image_tokens')
        >>> config = dict(type='LinearInversion', num_tokens=2)
        >>> build_inversion(config, 'inversion', reads, forms, 16, 0.4).linear
        Linear(in_features=8, out_features=32, bias=True)
    """
    cls = find_part(INVERSIONS, config, place)
    if not (isinstance(cls, type) and issubclass(cls, BaseInversion)):
        raise PartError(f'{place}: {config["type"]} is no BaseInversion.')
    pooled, sequence = (forms.get(name) for name in reads)
    if pooled is None or pooled.kind != VECTOR:
        raise PartError(
            f"{place}: the tower makes no vector '{reads[0]}', which is inverted. It "
            f'makes {", ".join(sorted(forms))}.'
        )
    read = pooled
    if cls.reads_tokens:
        if sequence is None or sequence.kind != TOKENS:
            raise PartError(
                f"{place}: {cls.__name__} reads '{reads[1]}', a sequence that the "
                f'tower does not make. {_list_pointwise()} read a pooled feature.'
            )
        read = sequence
    if cls.reads_pooled and read.width != pooled.width:
        raise PartError(
            f"{place}: {cls.__name__} reads '{reads[0]}', {pooled.width} wide, and "
            f"'{reads[1]}', {read.width} wide; expected one width. With "
            "inversion_input='tokens' both are in the joint space."
        )
    check_width(f'{place}.in_channels', config.get('in_channels'), reads[0], read.width)
    known = dict(
        in_channels=read.width, out_channels=out_channels, token_norm=token_norm
    )
    return build_part(INVERSIONS, config, place, known)


def build_prompt_learner(
    config: Mapping[str, Any], makes: Sequence[str], known: Mapping[str, Any]
) -> Any:  # noqa: ANN401
    """Build a prompt learner that makes certain prompts.

    Args:
        config: Its config.
        makes: The methods that it needs, ``'identity_prompts'`` say.
        known: What the method tells it.

    Raises:
        PartError: It can't be built or makes other prompts.

    Example:
        >>> config = dict(type='InstancePromptLearner')
        >>> build_prompt_learner(config, ['identity_prompts'], {})
        Traceback (most recent call last):
        ...
        hplreid.models.part.PartError: prompt_learner: ... makes no identity prompts...
    """
    cls = find_part(PROMPT_LEARNERS, config, 'prompt_learner')
    missing = [name for name in makes if not hasattr(cls, name)]
    if missing:
        able = sorted(
            name
            for name, known_class in PROMPT_LEARNERS.module_dict.items()
            if all(hasattr(known_class, method) for method in makes)
        )
        raise PartError(
            f'prompt_learner: {cls.__name__} makes no '
            f'{" and no ".join(m.replace("_", " ") for m in missing)}, which this '
            f'method needs. {", ".join(able)} does.'
        )
    return build_part(PROMPT_LEARNERS, config, 'prompt_learner', known)


def _list_pointwise() -> str:
    classes = INVERSIONS.module_dict.items()
    return ' and '.join(sorted(n for n, c in classes if not c.reads_tokens))
