_base_ = './promptsg_vitb16_market1501.py'

# The attention map weights the patches, as in the paper's figures
model = dict(necks=dict(interaction=dict(variant='reweight')))
