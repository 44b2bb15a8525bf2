# What the pairs of datasets trained on together share: batches of half pairs, half
# images; sizes and pipelines are those of text to image. Each pair sets its datasets
# and its choice of leak. IRRA's augmentation is for both halves of the batch: the paper
# gives none.
_base_ = ['./t2i.py']

train_dataloader = dict(
    batch_size=128,  # of all processes together: 64 pairs and 16 x 4 images
    sampler=dict(
        _delete_=True, type='JointSampler', num_pairs=64, num_ids=16, num_instances=4
    ),
    dataset=dict(
        _delete_=True,
        type='JointDataset',
        labels='unified',
        pipeline='train_pipeline',
    ),
)
