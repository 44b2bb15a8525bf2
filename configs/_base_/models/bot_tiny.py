_base_ = ['./bot_resnet50.py']

# The smallest ResNet, from random weights
model = dict(image_encoder=dict(arch='resnet18', pretrained=None))
