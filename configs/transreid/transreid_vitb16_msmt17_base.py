_base_ = ['../_base_/methods/transreid_base_vitb16.py', '../_base_/datasets/msmt17.py']
