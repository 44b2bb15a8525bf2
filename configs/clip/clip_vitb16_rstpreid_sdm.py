_base_ = ['../_base_/methods/clip_vitb16_sdm.py', '../_base_/datasets/rstpreid.py']
