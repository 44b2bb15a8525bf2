"""All swaps: each registered part in each slot of each method that could hold it."""

from collections.abc import Iterator
from copy import deepcopy

from .methods import IMAGE_ALONE, METHODS, config_of, fit
from .parts import (
    FOREIGN_TOWERS,
    HEADS,
    INVERSIONS,
    LARGER,
    NECKS,
    PROMPT_LEARNERS,
    SIZE,
    TOWERS,
    part,
)
from .run import Swap

_ALL_TOWERS = [*TOWERS, *FOREIGN_TOWERS]
_TEXT = [*TOWERS, 'mmpretrain ResNet-18']
# What a neck may be given, by its type: the names of features that some method has
_NECK_READS = {
    'InteractionNeck': [
        ('v', 'image_tokens'),
        ('prompt', 'image_tokens'),
        ('prompt_image', 'image_tokens'),
        ('prompt_constant', 'image_tokens'),
        ('identity_prompts', 'image_tokens'),
        ('t', 'text_tokens'),
        ('image_tokens', 'v'),
    ],
    'ImplicitRelation': [
        ('masked_tokens', 'image_tokens', 'mask_labels'),
        ('masked_tokens', 'image_tokens', 'mask_labels', 'eot'),
        ('text_tokens', 'image_tokens', 'mask_labels'),
        ('image_tokens', 'masked_tokens'),
    ],
}
_SINGLE = [
    ('map',),
    ('v',),
    ('image_tokens',),
    ('v_post',),
    ('t',),
    ('prompt_image',),
    ('prompt_identity',),
    ('identity_prompts',),
    ('eot',),
    ('v', 'v_post'),
]


def all_swaps() -> Iterator[Swap]:
    """Yield every swap, in the order of methods and slots."""
    for method in METHODS:
        yield from tower_swaps(method)
        yield from prompt_swaps(method)
        yield from neck_swaps(method)
        yield from head_swaps(method)


def tower_swaps(method: str) -> Iterator[Swap]:
    """Yield the swaps of towers; of image towers as they are, and with necks."""
    for name in _ALL_TOWERS:
        config = config_of(method)
        config['image_encoder'] = part(TOWERS, name)
        size = LARGER if name in FOREIGN_TOWERS else SIZE
        yield make(method, 'image_encoder', name, config, size=size)
        yield make(method, 'image_encoder with necks', name, fit(config), size=size)
    for slot in ('text_encoder', 'prompt_encoder'):
        for name in _TEXT if slot in METHODS[method] else ():
            config = config_of(method)
            config[slot] = part(TOWERS, name)
            frozen = (method, slot) == ('PromptSG', 'prompt_encoder')
            yield make(method, slot, name, config, '' if frozen else slot)


def prompt_swaps(method: str) -> Iterator[Swap]:
    """Yield the swaps of prompt learners and inversion networks."""
    for name in PROMPT_LEARNERS:
        if 'prompt_learner' in METHODS[method]:
            config = config_of(method)
            config['prompt_learner'] = part(PROMPT_LEARNERS, name)
            yield make(method, 'prompt_learner', name, config)
        if method == 'Propot':
            config = config_of(method)
            config['heads']['align'][-1]['learner'] = part(PROMPT_LEARNERS, name)
            slot = 'PrototypeContrastHead.learner'
            yield make(method, slot, name, config, 'heads.align.2.learner')
    for name in INVERSIONS:
        for slots in (
            ('inversion',),
            ('image_inversion',),
            ('text_inversion',),
            ('image_inversion', 'text_inversion'),
        ):
            if not set(slots) <= METHODS[method].keys():
                continue
            config = config_of(method)
            config |= {slot: part(INVERSIONS, name) for slot in slots}
            yield make(method, ' and '.join(slots), name, config, slots[0])
            if 'inversion_input' in slots or method == 'HPL':
                hidden = dict(deepcopy(config), inversion_input='hidden')
                slot = f'{" and ".join(slots)} of hidden states'
                yield make(method, slot, name, hidden, slots[0])


def neck_swaps(method: str) -> Iterator[Swap]:
    """Yield each neck on each feature that it might read, and a head that reads it."""
    for name in NECKS:
        for reads in _NECK_READS.get(name, _SINGLE):
            config = config_of(method)
            neck = dict(part(NECKS, name), reads=reads)
            config.setdefault('necks', {})['swapped'] = neck
            group = 'captioned' if {'t', 'text_tokens'} & {*reads} else 'all'
            head = dict(type='IDHead', feature='swapped', group=group, name='swapped')
            if name == 'ImplicitRelation':
                head = dict(
                    type='MaskedLanguageHead', feature='swapped', name='swapped'
                )
            elif name == 'LinearNeck' and reads == ('image_tokens',):
                config['necks']['swapped_pair'] = dict(
                    part(NECKS, 'InteractionNeck'),
                    reads=('f_t' if method == 'BoT' else 'v', 'swapped'),
                )
                head['feature'] = 'swapped_pair'
            last = list(config['heads'])[-1]
            config['heads'][last].append(head)
            slot = f'neck of {", ".join(reads)}'
            yield make(method, slot, name, config, 'necks.swapped')
        config = config_of(method)
        last = list(config['heads'])[-1]
        feature = 'f_t' if method == 'BoT' else 'v'
        config['heads'][last] = [
            dict(type='IDHead', feature=feature, group='all', neck=part(NECKS, name))
        ]
        yield make(method, 'IDHead.neck', name, config, f'heads.{last}.0')


def head_swaps(method: str) -> Iterator[Swap]:
    """Yield each head in each stage, with its defaults and reading other features."""
    config = config_of(method)
    for stage in config['heads']:
        for name in HEADS:
            for options in head_options(method, name):
                swapped = deepcopy(config)
                swapped['heads'][stage] = [dict(part(HEADS, name), **options)]
                told = ', '.join(f'{k}={v}' for k, v in options.items())
                slot = f'heads.{stage}' + (f' ({told})' if told else '')
                yield make(method, slot, name, swapped, f'heads.{stage}.0')


_FEATURES = ('v', 'f_t', 'map', 'image_tokens', 't', 'prompt', 'interaction')
_OPTIONS = {
    'feature': [
        dict(feature=feature, group=group)
        for feature in _FEATURES
        for group in ('all', 'captioned')
    ],
    'image': [
        dict(image='f_t', text='f_t', group='all'),
        dict(image='v', text='v', group='all'),
        dict(image='v_post', text='t'),
        dict(image='v', text='t', group='all'),
    ],
    'prompt': [
        dict(image='v', prompt='v'),
        dict(image='t', prompt='prompt_text', group='captioned'),
        dict(image='v', prompt='prompt_image'),
        dict(image='v', prompt='identity_prompts'),
    ],
    'table': [
        dict(feature='v'),
        dict(feature='v_post'),
        dict(feature='v', table='prototypes_image'),
        dict(feature='v', table='prompt_constant'),
    ],
}
_OPTIONS_OF = {
    **dict.fromkeys(('IDHead', 'TripletHead', 'CenterHead'), _OPTIONS['feature']),
    'MaskedLanguageHead': [dict(feature='v')],
    **dict.fromkeys(
        ('CMPCHead', 'CMPMHead', 'CrossModalIDHead', 'SDMHead', 'TALHead'),
        _OPTIONS['image'],
    ),
    'InfoNCEHead': [*_OPTIONS['image'], dict(tau=0.1)],
    'PrototypeContrastHead': [*_OPTIONS['image'], dict(learner=None)],
    'PromptContrastHead': _OPTIONS['prompt'],
    'PromptIDHead': _OPTIONS['table'],
    'PromptAlignHead': [dict(terms=['vgps']), dict(pairing='self')],
    'InversionConsistencyHead': [dict(pairs=[('prompt_image', 'v', 'all')])],
    'PromptRegularizationHead': [
        dict(pseudo_image='image_tokens', pseudo_text='text_tokens'),
        dict(pseudo_image='v', pseudo_text='t'),
    ],
}


def head_options(method: str, name: str) -> list[dict]:
    """Return options of a head: none, and others that change what it reads."""
    return [{}, *_OPTIONS_OF.get(name, [])]


def make(
    method: str,
    slot: str,
    name: str,
    config: dict,
    module: str | None = None,
    size: tuple[int, int] = SIZE,
) -> Swap:
    """Return a swap; a method of images alone has no captions in its batches."""
    place = slot.split()[0] if module is None else module
    return Swap(method, slot, name, config, place, method not in IMAGE_ALONE, size)
