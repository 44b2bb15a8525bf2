"""Names of weights, without what wrappers of a model add to them."""

from collections.abc import Iterable, Mapping

from torch import Tensor

# Where PyTorch's wrappers keep the module that they wrap: torch.compile, data parallel
# and averaged models, FSDP, recomputed activations
WRAPPERS = frozenset(
    {'_orig_mod', 'module', '_fsdp_wrapped_module', '_checkpoint_wrapped_module'}
)


def strip_wrappers(name: str) -> str:
    """Return the name of a weight without wrappers, wherever in it they stand.

    Example:
        >>> strip_wrappers('module._orig_mod.tower.module.layer1._orig_mod.weight')
        'tower.layer1.weight'
    """
    return '.'.join(part for part in name.split('.') if part not in WRAPPERS)


def name_as_in(state: Mapping[str, Tensor], own: Iterable[str]) -> dict[str, Tensor]:
    """Return weights under the names that a model has for them.

    Args:
        state: Weights of a file, whose model may have been wrapped.
        own: Names of the model's weights, which may have wrappers, too.

    Returns:
        The weights; those that the model doesn't have without wrappers in their names.

    Raises:
        ValueError: Two weights of the file get one name.

    Example:
        >>> import torch
        >>> list(name_as_in({'_orig_mod.a': torch.ones(1)}, ['module.a']))
        ['module.a']
    """
    own_name = {strip_wrappers(name): name for name in own}
    named: dict[str, Tensor] = {}
    for name, value in state.items():
        plain = strip_wrappers(name)
        key = own_name.get(plain, plain)
        if key in named:
            raise ValueError(
                f"there are two weights '{plain}' in it, one of them as '{name}'"
            )
        named[key] = value
    return named
