_base_ = '../../../configs/hpl/hpl_tiny_synthpeds.py'

custom_imports = dict(imports=['projects.part_prompts.part_prompts'])

# HPL, whose image pseudo-tokens are those of body parts, and kept apart in stage I
model = dict(
    image_inversion=dict(_delete_=True, type='PartInversion', num_tokens=4),
    heads=dict(
        construct=[
            *_base_.losses_construct,
            dict(type='TokenDiversityHead', loss_weight=0.1),
        ]
    ),
)
