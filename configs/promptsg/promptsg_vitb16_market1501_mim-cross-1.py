_base_ = './promptsg_vitb16_market1501.py'

# Table 5: cross-attention and one block, compared by the constant prompt (0.91 of the
# speed without an interaction)
model = dict(inference='constant', necks=dict(interaction=dict(num_blocks=1)))
