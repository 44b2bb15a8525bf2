# ICFG-PEDES (T2I) and MSMT17 (I2I) trained on together, each scored on its own test
# split. Neither can be downloaded by a program: see docs/datasets.md.
_base_ = ['./joint.py']

icfg_pedes = dict(type='ICFGPEDES', data_root=_base_.data_root + 'ICFG-PEDES')
msmt17 = dict(
    type='MSMT17',
    data_root=_base_.data_root + 'MSMT17',
    with_val=True,  # 32,621 images, as CLIP-ReID and TransReID train on
)

train_dataloader = dict(
    dataset=dict(
        t2i=dict(icfg_pedes, split='train'),
        i2i=dict(msmt17, split='train'),
        # ICFG-PEDES is MSMT17 with another split: most of its training identities, and
        # so most of its training images, are in MSMT17's test split. Both rules remove
        # these captions, for every image of such an identity is a test image there;
        # 'image', closer to the paper's wording, keeps those images of MSMT17's
        # training split whose identity, but not they themselves, is in ICFG-PEDES's
        # test split. protect=['t2i'] would keep the captions, at the price of MSMT17's
        # scores.
        leak='identity',
    )
)
test_dataloader = dict(
    msmt17=dict(
        _base_.test_loader,
        dataset=dict(msmt17, split='test', pipeline='plain_pipeline'),
    ),
    icfg_pedes=dict(
        _base_.test_loader,
        dataset=dict(icfg_pedes, split='test', pipeline='plain_pipeline'),
    ),
)
test_evaluator = dict(
    msmt17=dict(type='RetrievalMetric', task='i2i'),
    icfg_pedes=dict(type='RetrievalMetric', task='t2i'),
)
