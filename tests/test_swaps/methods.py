"""A tiny config of each method, and of what a swap of its image tower needs besides."""

from copy import deepcopy

from tests.test_models.test_reid.tiny import (
    ARCH,
    NUM_IDS,
    align_heads,
    construct_heads,
)

from .parts import JOINT, SIZE

_IMAGES = dict(type='CLIPImageEncoder', arch=ARCH, img_size=SIZE)
_CAPTIONS = dict(type='CLIPTextEncoder', arch=ARCH)
_PROMPTS = dict(type='CLIPPromptEncoder', arch=ARCH)
_INVERSION = dict(type='QueryInversion', num_tokens=2, depth=1, num_heads=2)
_T2I = [dict(type='SDMHead', tau=0.1), dict(type='CrossModalIDHead')]
_MASKED = dict(
    masked_language=dict(
        type='ImplicitRelation',
        reads=('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
        depth=1,
        num_heads=2,
    )
)

METHODS = {
    'BoT': dict(
        type='ImageReID',
        image_encoder=dict(type='ResNetEncoder', arch='resnet18'),
        necks=dict(
            f_t=dict(type='GlobalAveragePool', reads='map'),
            f_i=dict(type='BNNeck', reads='f_t'),
        ),
        i2i_feature=['f_i'],
        heads=dict(
            identify=[
                dict(type='IDHead', feature='f_i', neck=None, group='all'),
                dict(type='TripletHead', feature='f_t', group='all'),
            ]
        ),
    ),
    'TransReID': dict(
        type='ImageReID',
        image_encoder=_IMAGES,
        i2i_feature='v',
        heads=dict(
            identify=[
                dict(type='IDHead', feature='v', group='all'),
                dict(type='TripletHead', feature='v', group='all'),
            ]
        ),
    ),
    'CLIP-ReID': dict(
        type='CLIPReID',
        image_encoder=_IMAGES,
        prompt_encoder=_PROMPTS,
        prompt_learner=dict(type='IdentityPromptLearner', num_id_tokens=2),
        i2i_feature='v',
        heads=dict(
            prompt=[dict(type='PromptContrastHead')],
            encoder=[
                dict(type='IDHead', feature='v', group='all'),
                dict(type='TripletHead', feature='v', group='all'),
                dict(type='PromptIDHead', feature='v'),
            ],
        ),
    ),
    'PromptSG': dict(
        type='PromptSG',
        image_encoder=_IMAGES,
        prompt_encoder=_PROMPTS,
        inversion=dict(type='MLPInversion', num_tokens=1, hidden_channels=16),
        prompt_learner=dict(type='InstancePromptLearner'),
        necks=dict(
            interaction=dict(
                type='InteractionNeck',
                reads=('prompt', 'image_tokens'),
                width=16,
                num_heads=2,
            )
        ),
        i2i_feature='interaction',
        heads=dict(
            align=[
                dict(type='IDHead', feature='interaction', group='all'),
                dict(type='PromptContrastHead', image='v', prompt='prompt_image'),
            ]
        ),
    ),
    'CLIP': dict(
        type='DualEncoder',
        image_encoder=_IMAGES,
        text_encoder=_CAPTIONS,
        i2i_feature='v',
        heads=dict(align=[*_T2I, dict(type='InfoNCEHead')]),
    ),
    'IRRA': dict(
        type='DualEncoder',
        image_encoder=_IMAGES,
        text_encoder=_CAPTIONS,
        train_captions='masked',
        necks=_MASKED,
        i2i_feature='v',
        heads=dict(align=[*_T2I, dict(type='MaskedLanguageHead')]),
    ),
    'Propot': dict(
        type='Propot',
        image_encoder=_IMAGES,
        text_encoder=_CAPTIONS,
        i2i_feature='v',
        heads=dict(
            align=[
                *_T2I,
                dict(
                    type='PrototypeContrastHead',
                    learner=dict(type='PrototypeLearner', num_vectors=2, num_heads=2),
                ),
            ]
        ),
    ),
    'HPL': dict(
        type='HPL',
        image_encoder=dict(_IMAGES, type='TaskRoutedTransformer'),
        text_encoder=_CAPTIONS,
        prompt_encoder=_PROMPTS,
        prompt_learner=dict(type='HierarchicalPromptLearner', num_id_tokens=2),
        image_inversion=_INVERSION,
        text_inversion=_INVERSION,
        heads=dict(construct=construct_heads(), align=align_heads()),
    ),
}
IMAGE_ALONE = ('BoT', 'TransReID', 'CLIP-ReID', 'PromptSG')


def config_of(method):
    """Return a copy of the tiny config of a method, for training."""
    config = deepcopy(METHODS[method])
    config['num_ids'] = NUM_IDS
    return config


def fit(config):
    """Return a config changed so that any image tower serves it.

    Its features are projected to the joint space by necks, and what was read of the
    tower is read of those. A tower without a class token of its own gets a pooled one.
    """
    config = deepcopy(config)
    names = {'v': 'v_joint', 'u': 'v_joint', 'image_tokens': 'tokens_joint'}
    necks = {}
    pooled = 'v'
    if config['image_encoder']['type'] == 'ResNetEncoder':  # it makes a map alone
        pooled = 'pooled'
        necks[pooled] = dict(type='GlobalAveragePool', reads='map')
    elif config['type'] == 'ImageReID' and 'f_t' in config.get('necks', {}):
        config['necks']['f_t'] = dict(type='LinearNeck', reads='v', out_channels=JOINT)
    necks['v_joint'] = dict(type='LinearNeck', reads=pooled, out_channels=JOINT)
    config['heads'] = {
        stage: [_rename(_with_defaults(head), names) for head in heads]
        for stage, heads in config['heads'].items()
    }
    own = _rename(config.get('necks', {}), names)
    if 'tokens_joint' in str(own):
        necks['tokens_joint'] = dict(
            type='LinearNeck', reads='image_tokens', out_channels=JOINT
        )
    config['necks'] = necks | own
    if config.get('i2i_feature') in (None, 'v'):
        config['i2i_feature'] = 'v_joint'
    if 'text_encoder' in config:
        config['t2i_feature'] = 'v_joint'
    return config


_DEFAULTS = dict(
    InversionConsistencyHead=dict(
        pairs=[('prompt_image', 'v', 'all'), ('prompt_text', 't', 'captioned')]
    ),
    **dict.fromkeys(
        (
            'SDMHead',
            'CrossModalIDHead',
            'InfoNCEHead',
            'PrototypeContrastHead',
            'PromptAlignHead',
            'PromptContrastHead',
        ),
        dict(image='v'),
    ),
    **dict.fromkeys(('IDHead', 'TripletHead', 'PromptIDHead'), dict(feature='u')),
)


def _with_defaults(head):
    return {**_DEFAULTS.get(head['type'], {}), **head}


def _rename(value, names):
    """Replace names of features anywhere in a config, types and keys excepted."""
    if isinstance(value, dict):
        return {k: v if k == 'type' else _rename(v, names) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_rename(v, names) for v in value)
    return names.get(value, value) if isinstance(value, str) else value
