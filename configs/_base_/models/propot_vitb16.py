_base_ = ['./irra_vitb16.py']

# Propot: IRRA's losses, and instances are pulled to prototypes of their identities. In
# the paper L_sdm + L_id + 0.2 L_p2i + L_mlm; an ablation takes those it wants.
loss_p2i = dict(
    type='PrototypeContrastHead',
    learner=dict(
        type='PrototypeLearner',
        adapt=True,  # DPP
        enrich=['intra', 'inter'],  # IPP
        num_vectors=4,  # K
        adapt_depth=1,  # N_a
        enrich_depth=3,  # N_e
        num_heads=8,
        share_blocks=True,  # as the published number of parameters tells
    ),
    # Prototypes of the other identities would change nothing but the time ('all')
    subset='batch_ids',
    tau=0.02,
    reduce='mean',
    loss_weight=0.2,
)

model = dict(
    type='Propot',
    prototypes='mean',  # 'sum': Eq. 1 as it is printed
    heads=dict(align=[_base_.loss_sdm, _base_.loss_id, loss_p2i, _base_.loss_mlm]),
)
