# What the image-to-image benchmarks share: P x K batches of 256 x 128, CLIP-ReID's and
# TransReID's augmentation.
data_root = 'data/'
img_size = (256, 128)

plain_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='PackReIDInputs'),
]
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size, interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PadRandomCrop', padding=10),
    dict(
        type='RandomErasing',
        prob=0.5,
        area=(0.02, 1 / 3),
        ratio=(0.3, 10 / 3),
        fill='pixel',
    ),
    dict(type='PackReIDInputs'),
]

train_dataloader = dict(
    batch_size=64,  # of all processes together: 16 identities x 4
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='reid_collate'),
    sampler=dict(type='IdentitySampler', batch_size=64, num_instances=4),
    dataset=dict(split='train', pipeline='train_pipeline'),
)

test_cfg = dict(type='BenchmarkLoop')
test_loader = dict(batch_size=128, num_workers=8, collate_fn=dict(type='reid_collate'))
