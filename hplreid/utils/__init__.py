"""Helpers of every room: argument checks, checkpoints, files, processes, timing.

Nothing here knows what a model, a dataset or a metric is. Import from the modules:
nothing is exported here, because ``hplreid`` itself imports ``utils.environment``,
which must look at the installed packages before anything imports MMEngine or PyTorch.
"""
