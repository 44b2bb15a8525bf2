# DukeMTMC-reID was withdrawn by its authors: this is here to compare with the paper
_base_ = ['../_base_/methods/clip-reid_rn50.py', '../_base_/datasets/dukemtmc.py']
