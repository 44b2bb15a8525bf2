_base_ = [
    '../models/transreid_base_vitb16.py',
    '../schedules/transreid_120e.py',
    '../default_runtime.py',
]
