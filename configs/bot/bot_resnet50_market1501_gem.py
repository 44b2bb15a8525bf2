_base_ = ['./bot_resnet50_market1501.py']

# Generalised-mean pooling with a learned exponent; not in the paper
model = dict(necks=dict(f_t=dict(type='GeM')))
