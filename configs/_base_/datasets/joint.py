# What the pairs of datasets trained on together share: sizes, pipelines, batches. Each
# pair sets its datasets and its choice of leak.
data_root = 'data/'
img_size = (384, 128)

plain_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]
# IRRA's augmentation for both halves of the batch: the paper gives none
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PadRandomCrop', padding=10),
    dict(type='RandomErasing', prob=0.5, area=(0.02, 0.4)),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]

train_dataloader = dict(
    batch_size=128,  # of all processes together: 64 pairs and 16 x 4 images
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='reid_collate'),
    sampler=dict(type='JointSampler', num_pairs=64, num_ids=16, num_instances=4),
    dataset=dict(type='JointDataset', labels='unified', pipeline='train_pipeline'),
)

test_cfg = dict(type='BenchmarkLoop')
test_loader = dict(batch_size=128, num_workers=8, collate_fn=dict(type='reid_collate'))
