# DukeMTMC-reID was withdrawn by its authors: this is here to compare with the paper.
# The datasets have no images in common, so that none is to be removed.
_base_ = [
    '../_base_/methods/hpl_vitb16_paper.py',
    '../_base_/datasets/rstpreid_dukemtmc.py',
]
