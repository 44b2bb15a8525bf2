"""What a config goes through before a run: read, resolve, check, prepare.

Nothing here trains or scores; that is the work of ``loops`` and of ``engine.run``.
"""
