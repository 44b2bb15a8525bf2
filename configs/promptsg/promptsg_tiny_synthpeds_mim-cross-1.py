_base_ = './promptsg_tiny_synthpeds.py'

# Table 5: cross-attention and one block, compared by the constant prompt
model = dict(inference='constant', necks=dict(interaction=dict(num_blocks=1)))
