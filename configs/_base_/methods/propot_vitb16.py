_base_ = [
    '../models/propot_vitb16.py',
    '../schedules/propot_60e.py',
    '../default_runtime.py',
]
