# DukeMTMC-reID, image to image. Withdrawn by its authors: only to compare with papers.
_base_ = ['./i2i.py']

dukemtmc = dict(type='DukeMTMCReID', data_root=_base_.data_root + 'dukemtmcreid')

train_dataloader = dict(dataset=dukemtmc)
test_dataloader = dict(
    dukemtmc=dict(
        _base_.test_loader,
        dataset=dict(dukemtmc, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(dukemtmc=dict(type='RetrievalMetric', task='i2i'))
