_base_ = ['./irra_60e.py', './warmup_cosine_tiny.py']

# The same shape in 400 steps, for a CPU
train_cfg = dict(stages=dict(align=_base_.align_4e))
