_base_ = [
    '../models/irra_vitb16.py',
    '../schedules/irra_60e.py',
    '../default_runtime.py',
]
