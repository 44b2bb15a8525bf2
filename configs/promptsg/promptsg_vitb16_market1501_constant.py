_base_ = './promptsg_vitb16_market1501.py'

# Table 5, last row: trained with composed prompts, tested with the constant one and
# without a text tower. It also tests checkpoints of promptsg_vitb16_market1501.py.
model = dict(inference='constant')
