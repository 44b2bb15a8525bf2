_base_ = ['../_base_/methods/propot_tiny.py', '../_base_/datasets/synthpeds_t2i.py']
