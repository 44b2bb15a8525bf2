_base_ = [
    '../models/clip_vitb16.py',
    '../schedules/clip_60e.py',
    '../default_runtime.py',
]
