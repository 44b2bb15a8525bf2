# What the tiny schedules share: one epoch of warm-up, updated at each step, then a
# cosine to 0. A schedule adds T_max and end of its cosine.
warm_up = dict(
    type='LinearLR', start_factor=0.1, begin=0, end=1, convert_to_iter_based=True
)
cosine = dict(type='CosineAnnealingLR', begin=1, convert_to_iter_based=True)

# The stage of the text-to-image methods in 400 steps, at hpl_tiny.py's learning rate
align_4e = dict(
    epochs=4,
    optim_wrapper=dict(optimizer=dict(lr=3e-4)),
    param_scheduler=[warm_up, dict(cosine, T_max=3, end=4)],
)
