_base_ = [
    '../_base_/models/bot_resnet50.py',
    '../_base_/datasets/cuhk03-np.py',
    '../_base_/schedules/bot_120e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(dataset=dict(pipeline=_base_.bot_train_pipeline))
custom_hooks = [*_base_.custom_hooks, _base_.sync_buffers]
