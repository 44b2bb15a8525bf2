_base_ = './promptsg_tiny_synthpeds.py'

# Table 5: the interaction is its cross-attention alone
model = dict(inference='constant', necks=dict(interaction=dict(num_blocks=0)))
