_base_ = ['../_base_/methods/promptsg_rn50.py', '../_base_/datasets/market1501.py']
