_base_ = './clip_vitb16.py'

# SDM and identities: IRRA without its module, the baseline of later methods
model = dict(heads=dict(align=[_base_.loss_sdm, _base_.loss_id]))
train_cfg = dict(
    stages=dict(
        align=dict(
            optim_wrapper=dict(
                paramwise_cfg=dict(custom_keys=_base_.keys_of_classifier)
            )
        )
    )
)
