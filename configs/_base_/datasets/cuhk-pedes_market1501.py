# CUHK-PEDES (T2I) and Market-1501 (I2I) trained on together, each scored on its own
# test split. Both can't be downloaded by a program: see docs/datasets.md.
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

cuhk_pedes = dict(type='CUHKPEDES', data_root=data_root + 'CUHK-PEDES')
market1501 = dict(type='Market1501', data_root=data_root + 'Market-1501-v15.09.15')

train_dataloader = dict(
    batch_size=128,  # of all processes together: 64 pairs and 16 x 4 images
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    collate_fn=dict(type='reid_collate'),
    sampler=dict(type='JointSampler', num_pairs=64, num_ids=16, num_instances=4),
    dataset=dict(
        type='JointDataset',
        t2i=dict(cuhk_pedes, split='train'),
        i2i=dict(market1501, split='train'),
        labels='unified',
        # CUHK-PEDES holds people of Market-1501, of its test split too. 'identity'
        # leaves them out of training; the paper's wording is closer to leak='image'.
        leak='identity',
        pipeline=train_pipeline,
    ),
)

test_cfg = dict(type='BenchmarkLoop')
test_dataloader = dict(
    market1501=dict(
        batch_size=128,
        num_workers=8,
        collate_fn=dict(type='reid_collate'),
        dataset=dict(market1501, split='test', pipeline=plain_pipeline),
    ),
    cuhk_pedes=dict(
        batch_size=128,
        num_workers=8,
        collate_fn=dict(type='reid_collate'),
        dataset=dict(cuhk_pedes, split='test', pipeline=plain_pipeline),
    ),
)
test_evaluator = dict(
    market1501=dict(type='RetrievalMetric', task='i2i'),
    cuhk_pedes=dict(type='RetrievalMetric', task='t2i'),
)
