# RSTPReid, text to image
_base_ = ['./t2i.py']

rstpreid = dict(type='RSTPReid', data_root=_base_.data_root + 'RSTPReid')

train_dataloader = dict(dataset=rstpreid)
test_dataloader = dict(
    rstpreid=dict(
        _base_.test_loader,
        dataset=dict(rstpreid, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(rstpreid=dict(type='RetrievalMetric', task='t2i'))
