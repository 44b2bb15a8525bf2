_base_ = './promptsg_vitb16_market1501.py'

# Table 5: the interaction is its cross-attention alone. At 0.95 of the speed without an
# interaction no text tower can have run, so the prompt is the constant one.
model = dict(inference='constant', necks=dict(interaction=dict(num_blocks=0)))
