"""Environment, distributed gather, safe reading of checkpoints."""
