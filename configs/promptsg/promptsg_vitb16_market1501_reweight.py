_base_ = './promptsg_vitb16_market1501.py'

# The attention map weighs the patches, as the paper's figures have it
model = dict(necks=dict(interaction=dict(variant='reweight')))
