_base_ = './promptsg_vitb16_market1501.py'

# Table 4: cross-attention and one block
model = dict(necks=dict(interaction=dict(num_blocks=1)))
