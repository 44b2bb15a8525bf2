_base_ = ['../_base_/methods/promptsg_tiny.py', '../_base_/datasets/synthpeds_i2i.py']
