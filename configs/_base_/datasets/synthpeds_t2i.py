# SynthPeds, text to image alone: random pairs, one benchmark
_base_ = ['./synthpeds.py']

train_dataloader = dict(
    batch_size=64,  # pairs, of all processes together; 100 batches an epoch
    sampler=dict(_delete_=True, type='CaptionSampler', batch_size=64),
    dataset=dict(_delete_=True, **_base_.t2i, split='train', pipeline='train_pipeline'),
)
test_dataloader = dict(
    _delete_=True, synthpeds_t2i=_base_.test_dataloader.synthpeds_t2i
)
test_evaluator = dict(_delete_=True, synthpeds_t2i=_base_.test_evaluator.synthpeds_t2i)
