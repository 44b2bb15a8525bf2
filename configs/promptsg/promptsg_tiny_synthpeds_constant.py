_base_ = './promptsg_tiny_synthpeds.py'

# The same training, tested with the constant prompt and without a text tower
model = dict(inference='constant')
