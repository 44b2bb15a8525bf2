_base_ = [
    '../_base_/methods/hpl_vitb16_paper.py',
    '../_base_/datasets/cuhk-pedes_market1501.py',
]
# "Test samples" are removed: images of the other task's test split, not identities
train_dataloader = dict(dataset=dict(leak='image'))
