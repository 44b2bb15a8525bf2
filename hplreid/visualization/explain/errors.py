"""The error of explanations that can't be made of what was given."""

from hplreid.utils.user_error import UserError


class ExplainError(UserError, ValueError):
    """A model, a feature or a caption can't be explained as it was asked for."""
