_base_ = './hpl_tiny_synthpeds.py'

# The prompts of Eq. 10 are constants: no gradient reaches the towers through them
model = dict(
    heads=dict(
        align=[
            *_base_.losses_base,
            _base_.loss_cic,
            dict(_base_.loss_ilpa, detach_prompt=True),
            _base_.loss_cmpr,
        ]
    )
)
