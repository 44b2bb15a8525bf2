_base_ = './hpl_vitb16_joint.py'

# Stage II trains the inversion networks, too; the paper doesn't say whether it does.
# Prompts keep their gradient: with constant ones Eq. 12 alone would train the networks.
train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=[
                'image_encoder',
                'text_encoder',
                'image_inversion',
                'text_inversion',
                'heads.align',
            ]
        )
    )
)
