"""Checks of one kind each, which look at a whole config before anything is built.

Each returns messages. Who asks them all, and what is checked part by part, is in
``check`` and ``schema`` beside this room.
"""
