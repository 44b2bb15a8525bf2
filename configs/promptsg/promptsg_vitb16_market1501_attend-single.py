_base_ = './promptsg_vitb16_market1501.py'

# Blocks run over the attended token alone, the other reading of Eq. 7
model = dict(necks=dict(interaction=dict(variant='attend_single')))
