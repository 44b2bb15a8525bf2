_base_ = ['../_base_/methods/clip-reid_vitb16.py', '../_base_/datasets/market1501.py']
