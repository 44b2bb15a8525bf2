"""The values that are worth a try next, by Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hplreid.utils.user_error import MissingPackageError

from .ranges import Range, Space

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_DIGITS = 4  # of a number that is tried: folders are named by it

Told = Sequence[tuple[Mapping[str, str], float | None]]
"""Values that were tried, and their score; None for a training that failed."""


def propose_values(space: Space, told: Told, seed: int) -> dict[str, str]:
    """Return the values to try next, for a higher score.

    They are those of Optuna's tree-structured Parzen estimator ([Bergstra et al.](
    https://papers.nips.cc/paper/4443)), which draws ten times at random first. The
    answer depends on the arguments alone, so that a search that was stopped goes on as
    if it hadn't been.

    Args:
        space: Where to look.
        told: What was tried. Values outside of ``space``, which may have been changed
            meanwhile, are left out.
        seed: Seed of what is drawn; another one for each proposal.

    Returns:
        A value for each key, as on the command line; numbers that aren't integers have
        four digits.

    Raises:
        MissingPackageError: Optuna isn't installed.

    Example:
        >>> space = {'tau': Range('0.01', '0.1', log=True), 'depth': Range('1', '6')}
        >>> values = propose_values(space, [({'tau': '0.02', 'depth': '3'}, 50.0)], 1)
        >>> list(values), values['tau'] in space['tau'], values['depth'] in '123456'
        (['tau', 'depth'], True, True)
    """
    optuna = import_optuna()
    study = optuna.create_study(
        direction='maximize', sampler=optuna.samplers.TPESampler(seed=seed)
    )
    distributions = {key: _distribution(own) for key, own in space.items()}
    for values, score in told:
        if any(values[key] not in own for key, own in space.items()):
            continue
        failed = optuna.trial.TrialState.FAIL
        study.add_trial(
            optuna.trial.create_trial(
                params={key: _as_number(values[key], space[key]) for key in space},
                distributions=distributions,
                **({'state': failed} if score is None else {'value': score}),
            )
        )
    params = study.ask(distributions).params
    return {key: _as_text(params[key], own) for key, own in space.items()}


def import_optuna() -> Any:  # noqa: ANN401
    """Import Optuna, which is optional, and let it be silent about its progress.

    Raises:
        MissingPackageError: It isn't installed.

    Example:
        >>> import_optuna().__name__
        'optuna'
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingPackageError(
            "An optimized sweep needs Optuna: pip install 'hplreid[optuna]'. A grid "
            '(KEY=V1,V2,... without --optimize) needs nothing.'
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _distribution(own: Range | Sequence[str]) -> BaseDistribution:
    distributions = import_optuna().distributions
    if not isinstance(own, Range):
        return distributions.CategoricalDistribution(tuple(own))
    if own.is_integer:
        return distributions.IntDistribution(int(own.low), int(own.high), log=own.log)
    return distributions.FloatDistribution(float(own.low), float(own.high), log=own.log)


def _as_number(text: str, own: Range | Sequence[str]) -> str | float:
    if not isinstance(own, Range):
        return text
    return int(float(text)) if own.is_integer else float(text)


def _as_text(value: Any, own: Range | Sequence[str]) -> str:  # noqa: ANN401
    if not isinstance(own, Range) or own.is_integer:
        return str(value)
    text = f'{value:.{_DIGITS}g}'
    if text in own:
        return text
    return own.low if float(text) < float(own.low) else own.high  # rounded over an end
