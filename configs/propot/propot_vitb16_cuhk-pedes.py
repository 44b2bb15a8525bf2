_base_ = ['../_base_/methods/propot_vitb16.py', '../_base_/datasets/cuhk-pedes.py']
