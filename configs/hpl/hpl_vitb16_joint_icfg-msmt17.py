_base_ = ['../_base_/methods/hpl_vitb16.py', '../_base_/datasets/icfg-pedes_msmt17.py']
