# ICFG-PEDES, text to image
_base_ = ['./t2i.py']

icfg_pedes = dict(type='ICFGPEDES', data_root=_base_.data_root + 'ICFG-PEDES')

train_dataloader = dict(dataset=icfg_pedes)
test_dataloader = dict(
    icfg_pedes=dict(
        _base_.test_loader,
        dataset=dict(icfg_pedes, split='test', pipeline='plain_pipeline'),
    )
)
test_evaluator = dict(icfg_pedes=dict(type='RetrievalMetric', task='t2i'))
