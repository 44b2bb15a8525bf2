_base_ = [
    '../_base_/models/transreid_tiny.py',
    '../_base_/datasets/synthpeds_i2i.py',
    '../_base_/schedules/transreid_tiny.py',
    '../_base_/default_runtime.py',
]
