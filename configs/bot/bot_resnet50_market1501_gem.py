_base_ = ['./bot_resnet50_market1501.py']

# Generalized-mean pooling with a learned exponent; not in the paper
model = dict(necks=dict(f_t=dict(type='GeM')))
