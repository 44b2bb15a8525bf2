_base_ = [
    '../models/irra_tiny.py',
    '../schedules/irra_tiny.py',
    '../default_runtime.py',
]
