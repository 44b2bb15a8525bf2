# The losses of CLIP-ReID by name; a config lists those that it needs.

# Stage 1: raw dot products, no temperature, as in the released code; both directions
losses_prompt = [dict(type='PromptContrastHead', image='v', similarity='dot')]

# Stage 2. Identities are classified by features after a BNNeck, a neck of the model
losses_id = [
    dict(
        type='IDHead',
        feature=f'{name}_bn',
        neck=None,
        label_smoothing=0.1,
        name=f'id_{name}',
    )
    for name in ('v_post', 'v')
]
losses_triplet = [
    dict(type='TripletHead', feature=name, margin=0.3, name=f'triplet_{name}')
    for name in ('v_penultimate', 'v_post', 'v')
]
loss_i2t = dict(
    type='PromptIDHead', feature='v', similarity='dot', label_smoothing=0.1, name='i2t'
)
