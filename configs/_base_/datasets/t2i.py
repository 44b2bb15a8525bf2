# What the text-to-image benchmarks share: random pairs at 384 x 128, IRRA's
# augmentation.
data_root = 'data/'
img_size = (384, 128)

plain_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]
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
    batch_size=64,  # pairs, of all processes together
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='reid_collate'),
    sampler=dict(type='CaptionSampler', batch_size=64),
    dataset=dict(split='train', pipeline='train_pipeline'),
)

test_cfg = dict(type='BenchmarkLoop')
test_loader = dict(batch_size=128, num_workers=8, collate_fn=dict(type='reid_collate'))
