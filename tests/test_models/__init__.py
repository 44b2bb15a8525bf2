"""Tests of towers, prompts, losses, heads and methods."""
