"""Files of weights: written, read without executing code, loaded into a model.

What a run saves in them beside the weights is decided in the engine, not here.
"""
