# SynthPeds: made on first use, in the layouts of Market-1501 (I2I) and CUHK-PEDES (T2I)
data_root = 'data/synthpeds/'
img_size = (128, 64)

# Resized images are cached: a run reads each image some twenty times
image_cache = 'data/cache'
data_preparers = [
    dict(type='SynthPeds', out=data_root, size='default', seed=0),
    dict(type='ImageCache'),
]

plain_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]
# No random erasing: in a run of a few hundred steps it lowers the scores
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=img_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PadRandomCrop', padding=5),  # 10 at twice the size
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]

# The classes that read the real benchmarks, without their counts
t2i = dict(
    type='CUHKPEDES',
    data_root=data_root + 'CUHK-PEDES',
    name='synthpeds_t2i',
    expected=None,
)
i2i = dict(
    type='Market1501',
    data_root=data_root + 'Market-1501-v15.09.15',
    name='synthpeds_i2i',
    expected=None,
)

train_dataloader = dict(
    batch_size=128,  # of all processes together: 64 pairs and 16 x 4 images
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type='reid_collate'),
    sampler=dict(type='JointSampler', num_pairs=64, num_ids=16, num_instances=4),
    dataset=dict(
        type='JointDataset',
        t2i=dict(t2i, split='train'),
        i2i=dict(i2i, split='train'),
        labels='unified',
        leak='identity',
        pipeline='train_pipeline',
    ),
)

test_cfg = dict(type='BenchmarkLoop')
test_dataloader = dict(
    synthpeds_i2i=dict(
        batch_size=128,
        num_workers=1,
        collate_fn=dict(type='reid_collate'),
        dataset=dict(i2i, split='test', pipeline='plain_pipeline'),
    ),
    synthpeds_t2i=dict(
        batch_size=128,
        num_workers=1,
        collate_fn=dict(type='reid_collate'),
        dataset=dict(t2i, split='test', pipeline='plain_pipeline'),
    ),
)
test_evaluator = dict(
    synthpeds_i2i=dict(type='RetrievalMetric', task='i2i'),
    synthpeds_t2i=dict(type='RetrievalMetric', task='t2i'),
)
