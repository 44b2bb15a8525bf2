_base_ = './promptsg_tiny_synthpeds.py'

# HPL's inversion network in PromptSG: four pseudo-tokens, from all tokens of an image
model = dict(
    inversion=dict(_delete_=True, type='QueryInversion', num_tokens=4, depth=2)
)
