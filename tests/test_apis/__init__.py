"""The matrix of swaps: parts, methods, and what comes of each part in each slot."""
