"""A package, for some distributions install a ``tests`` that would hide this one."""
