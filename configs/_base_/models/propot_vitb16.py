_base_ = ['./irra_vitb16.py']

# Propot: IRRA's losses, and a contrastive loss between instances and prototypes of
# their identities, L_sdm + L_id + 0.2 L_p2i + L_mlm; an ablation lists those it needs.
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
        share_blocks=True,  # the published number of parameters implies it
    ),
    # 'all' gives the same loss and the same gradients, and takes longer
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
