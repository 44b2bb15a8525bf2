# The losses of HPL by name; an ablation lists those that it needs.
# Where the paper's formula does not train stably, these are the `stable` preset: cosine
# with a temperature instead of bare cosine (errata E3), distances of normalized
# features (E4), means instead of sums (E5). The formulas as printed are at the end.

# Stage I, Eq. 13: prompts are fitted to frozen towers
losses_construct = [
    dict(
        type='PromptContrastHead', image='v', prompt='prompt_identity', tau=0.02
    ),  # 8, 9
    dict(type='InversionConsistencyHead', distance='l2norm'),  # Eq. 6
]

# Stage II, Eq. 2: T2I losses read the token v, I2I losses the token u
losses_base = [
    dict(type='SDMHead', image='v', text='t', tau=0.02),
    dict(type='CrossModalIDHead', image='v', text='t'),
    dict(
        type='IDHead',
        feature='u',
        neck=dict(type='BNNeck'),
        label_smoothing=0.1,
        group='image_only',
    ),
    dict(type='TripletHead', feature='u', margin=0.3, group='image_only'),
]
# Stage II, the rest of Eq. 14
loss_cic = dict(type='PromptIDHead', feature='u', tau=0.02, reduce='mean')  # Eq. 11
# Eq. 10. The paper's weight, 0.4, is that of raw distances, whose gradient is then
# three times SDM's on SynthPeds, which breaks T2I. Normalized, 0.4 pulls with about
# 1 % of the gradient a term; 4 with 9 %, as L_cic does (configs/hpl/README.md)
loss_ilpa = dict(type='PromptAlignHead', distance='l2norm', loss_weight=4)
loss_cmpr = dict(type='PromptRegularizationHead', reduce='sum', loss_weight=0.06)  # 12

# Halves of Eq. 10: prompts made from captions guide the image token, prompts made from
# images guide the caption feature
loss_tgps = dict(loss_ilpa, terms=('tgps',))
loss_vgps = dict(loss_ilpa, terms=('vgps',))

# As printed: bare cosine logits, distances of raw features, Eq. 11 as a sum
losses_construct_literal = [
    dict(losses_construct[0], tau=1.0),
    dict(losses_construct[1], distance='raw'),
]
loss_cic_literal = dict(loss_cic, tau=1.0, reduce='sum')
loss_ilpa_literal = dict(loss_ilpa, distance='raw', loss_weight=0.4)
