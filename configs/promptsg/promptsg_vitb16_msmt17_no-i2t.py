_base_ = ['../_base_/methods/promptsg_vitb16_no-i2t.py', '../_base_/datasets/msmt17.py']
