_base_ = './hpl_tiny_synthpeds.py'

# Not a row of the paper: PromptSG's inversion network in both of HPL's places
model = dict(
    image_inversion=dict(_delete_=True, type='MLPInversion', num_tokens=4),
    text_inversion=dict(_delete_=True, type='MLPInversion', num_tokens=4),
)
