_base_ = ['../_base_/methods/hpl_tiny.py', '../_base_/datasets/synthpeds.py']
