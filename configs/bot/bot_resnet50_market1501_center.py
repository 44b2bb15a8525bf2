_base_ = ['./bot_resnet50_market1501.py']

model = dict(heads=dict(identify=[*_base_.model.heads.identify, _base_.loss_center]))
