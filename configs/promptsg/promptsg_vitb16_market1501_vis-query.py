_base_ = './promptsg_vitb16_market1501.py'

# The image's tokens are the queries, as in an unofficial implementation
model = dict(necks=dict(interaction=dict(variant='vis_query')))
