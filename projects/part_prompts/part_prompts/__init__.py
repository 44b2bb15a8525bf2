"""Pseudo-tokens of body parts, and a loss that keeps them apart."""

from .part_inversion import PartInversion
from .token_diversity import TokenDiversityHead, token_diversity

__all__ = ['PartInversion', 'TokenDiversityHead', 'token_diversity']
