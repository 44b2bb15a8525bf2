_base_ = './propot_tiny_synthpeds.py'

# Table 4, last row but one: everything but the prediction of masked words
model = dict(
    necks=dict(_delete_=True),
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id, _base_.loss_p2i]),
)
train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=['image_encoder', 'text_encoder', 'heads.align'],
            optim_wrapper=dict(
                paramwise_cfg=dict(
                    custom_keys={
                        '_delete_': True,
                        **_base_.custom_keys,
                        'heads.align': _base_.new,
                    }
                )
            ),
        )
    )
)
