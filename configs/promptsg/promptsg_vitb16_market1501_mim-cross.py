_base_ = './promptsg_vitb16_market1501.py'

# Table 4: the interaction is its cross-attention alone
model = dict(necks=dict(interaction=dict(num_blocks=0)))
