# The losses of PromptSG by name; an ablation lists those that it needs.
# Triplets: the last states of the tower, as in CLIP-ReID, and the interaction's output
losses_triplet = [
    dict(type='TripletHead', feature=name, margin=0.3, name=f'triplet_{name}')
    for name in ('v_penultimate', 'v_post', 'v', 'interaction')
]
loss_id = dict(  # its BNNeck is a neck of the model, so that its output can be tested
    type='IDHead', feature='interaction_bn', neck=None, label_smoothing=0.1
)
loss_supcon = dict(  # Eq. 5, 6
    type='PromptContrastHead',
    image='v',
    prompt='prompt_image',
    tau=0.07,  # not stated
    loss_weight=0.5,
    name='supcon',
)

model = dict(
    type='PromptSG',
    image_encoder=dict(
        type='CLIPImageEncoder',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        img_size=(256, 128),
    ),
    prompt_encoder=dict(type='CLIPPromptEncoder'),  # frozen
    inversion=dict(type='MLPInversion', num_tokens=1, hidden_channels=512),
    prompt_learner=dict(
        type='InstancePromptLearner',
        template='A photo of a {inst} person.',
        constant='A photo of a person.',
    ),
    train_prompt='composed',
    inference='composed',  # 'constant': no text tower; a checkpoint serves both
    necks=dict(
        interaction=dict(
            type='InteractionNeck',
            reads=('prompt', 'image_tokens'),
            variant='attend',  # Eq. 7
            width=512,
            num_heads=8,
            num_blocks=2,
        ),
        interaction_bn=dict(type='BNNeck', reads='interaction'),
    ),
    i2i_feature='interaction',  # before BN; 'interaction_bn': after it
    heads=dict(align=[*losses_triplet, loss_id, loss_supcon]),
    # CLIP-ReID's normalization, as its augmentation
    data_preprocessor=dict(
        type='ReIDDataPreprocessor', mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    ),
)
