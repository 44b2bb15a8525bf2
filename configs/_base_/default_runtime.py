# What does not depend on the method: logs, checkpoints, processes
default_scope = 'hplreid'

default_hooks = dict(
    runtime_info=dict(type='LossLogHook'),  # stops at a loss that isn't finite
    timer=dict(type='IterTimerHook'),
    # Every tenth step, to the log file and the visualization backends; and the scores
    logger=dict(type='ScoreLogHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # The last epoch is scored. No epoch is selected by its score unless a config says
    # so (`save_best`, see configs/irra/README.md)
    checkpoint=dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2),
    sampler_seed=None,  # the training loop tells samplers the epoch
)
custom_hooks = [
    # What is printed: a line about every 10 to 60 seconds
    dict(type='ProgressHook'),
    # Ranked lists of five queries of each benchmark after every test
    dict(type='RankedListHook', num_queries=5),
]

# Curves, scores, ranked lists and config go to its backends: to the work folder, and
# for instance to TensorBoard with dict(type='TensorboardVisBackend')
visualizer = dict(type='RunVisualizer', vis_backends=[dict(type='LocalVisBackend')])
log_processor = dict(window_size=10, by_epoch=True)
log_level = 'INFO'

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=1800),
)
# With several processes batch norms have the statistics of all (`sync_bn`)
model_wrapper_cfg = dict(
    type='ReIDDataParallel',
    broadcast_buffers=False,
    find_unused_parameters=False,
    sync_bn=True,
)

# deterministic=True asks cuDNN for deterministic kernels, at some cost in speed
randomness = dict(seed=0, deterministic=False)

# `load_from` begins with weights that fit, `load_from = dict(checkpoint=...,
# partial=True)` with what fits of them; it isn't set here, for MMEngine lets no dict
# replace a None
resume = False
