# RSTPReid (T2I) and DukeMTMC-reID (I2I) trained on together, each scored on its own
# test split; they share no identity. DukeMTMC-reID was withdrawn by its authors: this
# is here to compare with the paper.
_base_ = ['./joint.py']

rstpreid = dict(type='RSTPReid', data_root=_base_.data_root + 'RSTPReid')
dukemtmc = dict(type='DukeMTMCReID', data_root=_base_.data_root + 'dukemtmcreid')

train_dataloader = dict(
    dataset=dict(
        t2i=dict(rstpreid, split='train'),
        i2i=dict(dukemtmc, split='train'),
    )
)
test_dataloader = dict(
    dukemtmc=dict(
        _base_.test_loader,
        dataset=dict(dukemtmc, split='test', pipeline='plain_pipeline'),
    ),
    rstpreid=dict(
        _base_.test_loader,
        dataset=dict(rstpreid, split='test', pipeline='plain_pipeline'),
    ),
)
test_evaluator = dict(
    dukemtmc=dict(type='RetrievalMetric', task='i2i'),
    rstpreid=dict(type='RetrievalMetric', task='t2i'),
)
