_base_ = ['../_base_/methods/transreid_tiny.py', '../_base_/datasets/synthpeds_i2i.py']
