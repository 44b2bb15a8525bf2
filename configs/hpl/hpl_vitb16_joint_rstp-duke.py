# DukeMTMC-reID was withdrawn by its authors: this is here to compare with the paper
_base_ = [
    '../_base_/models/hpl_vitb16.py',
    '../_base_/datasets/rstpreid_dukemtmc.py',
    '../_base_/schedules/hpl_10e-60e.py',
    '../_base_/default_runtime.py',
]

# Stage I trains on plain images, as CLIP-ReID's first stage does
train_cfg = dict(
    stages=dict(
        construct=dict(
            train_dataloader=dict(dataset=dict(pipeline=_base_.plain_pipeline))
        )
    )
)
