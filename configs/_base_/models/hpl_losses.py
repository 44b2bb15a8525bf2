# The losses of HPL, named, so that an ablation can take the ones that it wants.
# Where the paper's formula and what trains stably part, this is the `stable` preset:
# cosine with a temperature instead of bare cosine (errata E3), distances of normalized
# features (E4), means instead of sums (E5). hpl_vitb16_joint_paper.py has the formulas.

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
loss_ilpa = dict(type='PromptAlignHead', distance='l2norm', loss_weight=0.4)  # Eq. 10
loss_cmpr = dict(type='PromptRegularisationHead', reduce='sum', loss_weight=0.06)  # 12
