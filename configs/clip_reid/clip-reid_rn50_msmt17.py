_base_ = ['../_base_/methods/clip-reid_rn50.py', '../_base_/datasets/msmt17.py']
