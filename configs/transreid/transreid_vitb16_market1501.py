_base_ = [
    '../_base_/models/transreid_vitb16.py',
    '../_base_/datasets/market1501.py',
    '../_base_/schedules/transreid_120e.py',
    '../_base_/default_runtime.py',
]

model = dict(image_encoder=dict(num_cameras=6))
