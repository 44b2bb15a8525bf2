# SynthPeds, image to image alone: P x K batches, one benchmark
_base_ = ['./synthpeds.py']

train_dataloader = dict(
    batch_size=64,  # of all processes together: 16 identities x 4; 30 batches an epoch
    sampler=dict(_delete_=True, type='IdentitySampler', batch_size=64, num_instances=4),
    dataset=dict(_delete_=True, **_base_.i2i, split='train', pipeline='train_pipeline'),
)
test_dataloader = dict(
    _delete_=True, synthpeds_i2i=_base_.test_dataloader.synthpeds_i2i
)
test_evaluator = dict(_delete_=True, synthpeds_i2i=_base_.test_evaluator.synthpeds_i2i)
