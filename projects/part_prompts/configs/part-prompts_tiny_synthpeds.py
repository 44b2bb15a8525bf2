_base_ = '../../../configs/hpl/hpl_tiny_synthpeds.py'

custom_imports = dict(imports=['projects.part_prompts.part_prompts'])

# HPL with a pseudo-token for each body part, which stage I keeps different
model = dict(
    image_inversion=dict(_delete_=True, type='PartInversion', num_tokens=4),
    heads=dict(
        construct=[
            *_base_.losses_construct,
            dict(type='TokenDiversityHead', loss_weight=0.1),
        ]
    ),
)
