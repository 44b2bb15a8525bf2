"""The family of errors that a user can mend."""


class UserError(Exception):
    """Something is wrong with what a user gave: a setting, a file, a folder.

    The message says what is wrong, where, what was expected and what to do; tools print
    it without a traceback (:func:`.run_tool.run_tool`). Each error of the package that
    a user can mend inherits from it, besides the built-in class that fits.
    """
