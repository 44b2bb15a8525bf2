_base_ = ['./clip-reid_losses.py']

model = dict(
    type='CLIPReID',
    image_encoder=dict(
        type='CLIPImageEncoder',
        arch='ViT-B-16-quickgelu',
        pretrained='openai',
        img_size=(256, 128),
    ),
    prompt_encoder=dict(type='CLIPPromptEncoder'),  # frozen
    prompt_learner=dict(
        type='IdentityPromptLearner',
        num_id_tokens=4,
        identity_template='A photo of a {id} person.',
    ),
    necks=dict(
        v_post_bn=dict(type='BNNeck', reads='v_post'),
        v_bn=dict(type='BNNeck', reads='v'),
    ),
    # 768 + 512 before BN; after it: i2i_feature=('v_post_bn', 'v_bn')
    i2i_feature=('v_post', 'v'),
    heads=dict(
        prompt=_base_.losses_prompt,
        encoder=[
            *[dict(head, loss_weight=0.25) for head in _base_.losses_id],
            *_base_.losses_triplet,
            _base_.loss_i2t,
        ],
    ),
    data_preprocessor=dict(
        type='ReIDDataPreprocessor', mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    ),
)
