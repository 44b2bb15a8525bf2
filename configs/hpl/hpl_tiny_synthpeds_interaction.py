_base_ = './hpl_tiny_synthpeds.py'

# Not a row of the paper: PromptSG's interaction in HPL. What the prompt of an image
# finds in the image's tokens is classified, too.
interaction = dict(
    type='InteractionNeck',
    reads=('prompt_image', 'image_tokens'),
    width=128,
    num_heads=4,
)
loss_interaction = dict(
    type='IDHead', feature='interaction', group='captioned', name='interaction_id'
)
model = dict(
    necks=dict(interaction=interaction),
    heads=dict(align=[*_base_.model.heads.align, loss_interaction]),
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
