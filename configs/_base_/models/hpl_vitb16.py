_base_ = ['./hpl_losses.py']

model = dict(
    type='HPL',
    image_encoder=dict(
        type='TaskRoutedTransformer',
        arch='ViT-B-16-quickgelu',
        # The paper starts from a CLIP trained on LUPerson, most probably that of
        # LUPerson-MLLM: set its file here for that. OpenAI's weights are another row.
        pretrained='openai',
        img_size=(384, 128),
        i2i_init='noisy_copy',  # u starts near v
        isolate='none',  # the paper simply appends u
    ),
    text_encoder=dict(type='CLIPTextEncoder'),
    prompt_encoder=dict(type='CLIPPromptEncoder'),  # Et~ of Eq. 5, a frozen copy
    prompt_learner=dict(
        type='HierarchicalPromptLearner',
        num_id_tokens=4,  # not stated; CLIP-ReID's number
        template='A photo of a {id} and {inst} person.',  # Figure 2
        identity_template='A photo of a {id} person.',
    ),
    # N_I = 4 blocks; 4 pseudo-tokens, so that both prompt levels are equally long
    image_inversion=dict(type='QueryInversion', num_tokens=4, depth=4),
    text_inversion=dict(type='QueryInversion', num_tokens=4, depth=4),
    heads=dict(
        construct=_base_.losses_construct,
        align=[
            *_base_.losses_base,
            _base_.loss_cic,
            _base_.loss_ilpa,
            _base_.loss_cmpr,
        ],
    ),
    data_preprocessor=dict(type='ReIDDataPreprocessor'),
)
