# SynthPeds with identities that no benchmark split has, to train the tiny CLIP on;
# scored on both benchmarks of the default SynthPeds
_base_ = ['./synthpeds.py']

pretrain_root = 'data/synthpeds-pretrain/'
image_cache = 'data/cache-pretrain'
data_preparers = [
    _base_.data_preparers[0],
    dict(
        type='SynthPeds',
        out=pretrain_root,
        size='pretrain',
        seed=0,
        # Milder cameras than the benchmark's: that gap is left to fine-tuning
        difficulty='easy',
    ),
    _base_.data_preparers[1],
]

train_dataloader = dict(
    batch_size=96,
    sampler=dict(_delete_=True, type='CaptionSampler', batch_size=96),
    dataset=dict(
        _delete_=True,
        **dict(_base_.t2i, data_root=pretrain_root + 'CUHK-PEDES', split='train'),
        pipeline='train_pipeline',
    ),
)
