_base_ = ['../_base_/methods/clip_vitb16_sdm-id.py', '../_base_/datasets/cuhk-pedes.py']
