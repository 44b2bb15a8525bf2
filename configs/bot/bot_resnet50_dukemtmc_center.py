_base_ = ['./bot_resnet50_dukemtmc.py']

model = dict(heads=dict(identify=[*_base_.model.heads.identify, _base_.loss_center]))
