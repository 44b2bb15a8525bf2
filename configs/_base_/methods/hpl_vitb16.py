_base_ = [
    '../models/hpl_vitb16.py',
    '../schedules/hpl_10e-60e.py',
    '../default_runtime.py',
]
