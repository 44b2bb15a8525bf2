"""Parameters of which a training step reads some rows alone."""

from torch import nn


def find_row_tables(model: nn.Module) -> set[str]:
    """Return the names of a model's parameters of which a step may read few rows.

    These are embeddings (of words, of cameras), and what a module names in its
    attribute ``read_by_row``: identity tokens, prototypes, positions of captions. The
    rows of a classifier are not among them: a softmax moves each of them in each step.

    Args:
        model: The model.

    Returns:
        Names as in ``named_parameters``.

    Example:
        >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))
        >>> find_row_tables(model)
        {'0.weight'}
    """
    found = set()
    for place, module in model.named_modules():
        names = getattr(module, 'read_by_row', ())
        if isinstance(module, nn.Embedding):
            names = ('weight',)
        prefixes = tuple(f'{place}.{name}'.lstrip('.') for name in names)
        found |= {
            name
            for name, _ in model.named_parameters()
            if any(name == p or name.startswith(f'{p}.') for p in prefixes)
        }
    return found
