_base_ = './hpl_tiny_synthpeds.py'

# Not a row of the paper: PromptSG's interaction in HPL. What the prompt of an image
# finds in its tokens is classified, too.
model = dict(
    necks=dict(
        interaction=dict(
            type='InteractionNeck',
            reads=('prompt_image', 'image_tokens'),
            width=128,
            num_heads=4,
        )
    ),
    heads=dict(
        align=[
            *_base_.model.heads.align,
            dict(
                type='IDHead',
                feature='interaction',
                group='captioned',
                name='interaction_id',
            ),
        ]
    ),
)
train_cfg = dict(
    stages=dict(
        align=dict(
            trainable=[*_base_.train_cfg.stages.align.trainable, 'necks'],
            optim_wrapper=dict(
                paramwise_cfg=dict(custom_keys={'necks': dict(lr_mult=5)})
            ),
        )
    )
)
