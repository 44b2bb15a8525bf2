_base_ = ['../_base_/methods/promptsg_vitb16.py', '../_base_/datasets/cuhk03-np.py']
