_base_ = ['../_base_/methods/bot_resnet50.py', '../_base_/datasets/dukemtmc.py']

train_pipeline = _base_.bot_train_pipeline
