"""Whole runs of nano models in float64, in one process or in several.

Every method and stage of the tiny configs, with its samplers, losses and optimizer, on
made-up people. Images are noised by the seed of the item, captions are of different
lengths, and datasets don't come out even with batches. What is random per process is
turned off: dropped paths, of which the configs have none at this size.
"""

import os

import torch
from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

import hplreid.datasets
import hplreid.engine.measurement.made_up_dataset
import hplreid.models  # noqa: F401
from hplreid.engine.config.read import read_config
from hplreid.engine.data_parallel import unwrap
from hplreid.engine.measurement.made_up_data import _mask
from hplreid.engine.measurement.made_up_dataset import MadeUpDataset
from hplreid.engine.sharding import shards_of, whole
from hplreid.models.data_preprocessor import ReIDDataPreprocessor
from hplreid.registry import DATASETS, HOOKS, MODELS
from hplreid.utils.user_error import UserError
from tests.test_configs import NANO, ROOT

BATCH, NUM_IDS, STEPS_PER_EPOCH, EPOCHS = 16, 8, 5, 4
CONFIGS = dict(
    bot='bot/bot_tiny_synthpeds',
    transreid='transreid/transreid_tiny_synthpeds',
    clip_reid='clip_reid/clip-reid_tiny_synthpeds',
    clip_reid_base='clip_reid/clip-reid_tiny_synthpeds_base',
    clip_reid_rn50='clip_reid/clip-reid_rn50_market1501',
    clip_infonce='clip/clip_tiny_synthpeds-t2i_infonce',
    clip_sdm_id='clip/clip_tiny_synthpeds-t2i_sdm-id',
    irra='irra/irra_tiny_synthpeds',
    promptsg='promptsg/promptsg_tiny_synthpeds',
    promptsg_constant='promptsg/promptsg_tiny_synthpeds_constant',
    promptsg_rn50='promptsg/promptsg_rn50_market1501',
    propot='propot/propot_tiny_synthpeds',
    hpl='hpl/hpl_tiny_synthpeds',
    hpl_base='hpl/hpl_tiny_synthpeds_base',
    hpl_mlp='hpl/hpl_tiny_synthpeds_mlp-inversion',
    hpl_prototypes='hpl/hpl_tiny_synthpeds_prototypes',
)


@DATASETS.register_module()
class NoisyPeople(MadeUpDataset):
    """Made-up items, noised by their seed; some of them are left out."""

    def __init__(self, masked, pipeline='noisy', left_out=1, **kwargs):
        self.noisy = pipeline == 'noisy'
        super().__init__(**kwargs)
        self.masked = masked
        del self._items[-left_out:]
        self.labels = self.labels[:-left_out]
        self.has_caption = self.has_caption[:-left_out]

    def _make(self, item):
        made = super()._make(item)
        inputs = made['inputs']
        seed = item['sample_idx']
        if self.noisy:
            noise = torch.randint(0, 40, inputs['image'].shape).to(torch.uint8)
            inputs['image'] = (inputs['image'] // 2) + noise
            seed = int(torch.randint(999, ()))
        if inputs['caption'] is not None and self.masked:
            generator = torch.Generator().manual_seed(seed)
            inputs['masking'] = _mask(inputs['caption'][None], generator)[0]
        return made


@MODELS.register_module()
class DoublePreprocessor(ReIDDataPreprocessor):
    """Images in float64."""

    def forward(self, data, training=False):
        prepared = super().forward(data, training)
        prepared['inputs']['images'] = prepared['inputs']['images'].double()
        return prepared


@HOOKS.register_module()
class RecordHook(Hook):
    """Keeps losses of every step, and gradients of the first step of a stage."""

    def __init__(self):
        self.losses, self.gradients, self.optimizers = [], {}, []

    def before_train_epoch(self, runner):
        optimizer = runner.optim_wrapper.optimizer
        if optimizer in self.optimizers:
            return
        self.optimizers.append(optimizer)
        stage = runner.train_loop.stage.name
        model = unwrap(runner.model)

        def keep(*_):
            handle.remove()
            names = {p: name for name, p in model.named_parameters()}
            shards = shards_of(model)
            if shards is not None:
                names.update({r: names[p] for p, r in shards._replicas})
            for parameter in (p for g in optimizer.param_groups for p in g['params']):
                if parameter.grad is not None:
                    key = f'{stage}: {names[parameter]}'
                    self.gradients[key] = whole(parameter.grad).clone()

        handle = optimizer.register_step_pre_hook(keep)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        stage = runner.train_loop.stage.name
        for name, value in outputs.items():
            self.losses.append((f'{stage}: {name}', torch.as_tensor(value).detach()))


def config_of(name, epochs=EPOCHS, own_optimizer=False, **changes):
    """Return the config of a run, as a dict that can be sent to other processes.

    Args:
        name: Of the method, a key of CONFIGS.
        epochs: Of each stage, five steps an epoch.
        own_optimizer: Whether to take the config's optimizer. Adam divides gradients
            by their size: where they are zero but for rounding (the bias of keys in
            attention) it makes steps of that rounding, which no two summations share.
            By default SGD with momentum takes its place.
        changes: To the config, see MMEngine.
    """
    config = read_config(str(ROOT / 'configs' / f'{CONFIGS[name]}.py')).to_dict()
    model = _shrink(config['model'])
    kind = config['train_dataloader']['sampler']['type']
    captioned = 'text_encoder' in model
    images = kind == 'JointSampler' or not captioned
    stages = {}
    for stage, own in config['train_cfg']['stages'].items():
        own = dict(own, epochs=epochs)
        own['train_dataloader'] = dict(
            own.get('train_dataloader') or {}, batch_size=BATCH
        )
        own['train_dataloader'].pop('dataset', None)
        if own.get('cache_features'):  # without chance, as in the config
            own['train_dataloader']['dataset'] = dict(pipeline='plain')
        sampler = own['train_dataloader'].get('sampler')
        if sampler is not None:
            sampler['batch_size'] = BATCH
        if own.get('init_features'):
            own['init_features'] = dict(own['init_features'], pipeline='plain')
        if not own_optimizer:
            own['optim_wrapper'] = _with_sgd(own.get('optim_wrapper') or {})
        stages[stage] = own
    sampler = config['train_dataloader']['sampler']
    if sampler['type'] == 'JointSampler':
        sampler.update(num_pairs=8, num_ids=4, num_instances=2)
    else:
        sampler['batch_size'] = BATCH
        if 'num_instances' in sampler:
            sampler['num_instances'] = 2
    run = dict(
        model=model,
        train_dataloader=dict(
            batch_size=BATCH,
            num_workers=0,
            collate_fn=dict(type='reid_collate'),
            sampler=sampler,
            dataset=dict(
                type='NoisyPeople',
                masked=model.get('train_captions') == 'masked',
                num_ids=NUM_IDS,
                num_pairs=10 * captioned,
                num_images=10 * images,
                img_size=(32, 16),
            ),
        ),
        optim_wrapper=config['optim_wrapper'],
        train_cfg=dict(type='StagedTrainLoop', stages=stages),
        default_hooks=dict(
            runtime_info=dict(type='LossLogHook'), checkpoint=None, sampler_seed=None
        ),
        custom_hooks=[dict(type='RecordHook')],
        model_wrapper_cfg=config['model_wrapper_cfg'],
        default_scope='hplreid',
        randomness=dict(seed=7),
        log_level='WARNING',
        experiment_name=name,
    )
    if not own_optimizer:
        run['optim_wrapper'] = _with_sgd(run['optim_wrapper'])
    run = Config(run)
    run.merge_from_dict(changes)
    return run.to_dict()


def _with_sgd(optim_wrapper):
    sgd = dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=1e-4)
    return dict(optim_wrapper, optimizer=sgd)


def _shrink(model):
    model['num_ids'] = NUM_IDS
    model['image_encoder'].update(NANO[model['image_encoder']['type']])
    for part in ('image_inversion', 'text_inversion', 'inversion'):
        if model.get(part, {}).get('type') == 'QueryInversion':
            model[part].update(depth=1, num_heads=2)
        if model.get(part, {}).get('type') == 'MLPInversion':
            model[part].update(hidden_channels=12)
    for neck in (model.get('necks') or {}).values():
        if neck['type'] == 'InteractionNeck':
            neck.update(width=16, num_heads=2)
        if neck['type'] == 'ImplicitRelation':
            neck.update(depth=1, num_heads=2)
    for heads in model['heads'].values():
        for head in heads:
            if head.get('learner'):
                head['learner'].update(num_heads=2)
    model['data_preprocessor']['type'] = 'DoublePreprocessor'
    return model


def uneven_config_of(name, epochs=EPOCHS):
    """Return the config of a run with MMEngine's sampler, whose last batch is smaller.

    The 79 items of one epoch make batches of 16, and of 15 at the end. That sampler has
    no seeds of items, so that they have no noise.
    """
    sampler = dict(type='DefaultSampler', shuffle=True, round_up=False, seed=3)
    config = config_of(name, epochs)
    config['train_dataloader'].update(sampler=sampler, drop_last=False)
    config['train_dataloader']['dataset']['pipeline'] = 'plain'
    return config


def run(config, folder):
    """Train by a config; return losses, gradients of first steps, and final weights."""
    config = Config(config)
    config.work_dir = str(folder)
    config.launcher = 'pytorch' if torch.distributed.is_initialized() else 'none'
    os.environ['LOCAL_RANK'] = str(get_rank())
    torch.set_default_dtype(torch.float64)
    try:
        runner = Runner.from_cfg(config)
        runner.train()
    finally:
        torch.set_default_dtype(torch.float32)
    (record,) = (h for h in runner.hooks if isinstance(h, RecordHook))
    return dict(
        losses=record.losses,
        gradients=record.gradients,
        weights=unwrap(runner.model).state_dict(),
    )


def work(rank, world, folder, configs):
    """Run each config in a process of a group; the first saves what it found."""
    from tests.test_models.test_reid.tiny import add_nano_arch

    (folder / f'arch{rank}').mkdir()
    add_nano_arch(folder / f'arch{rank}')
    import mmengine.runner.runner

    mmengine.runner.runner.collect_env = dict  # it starts compilers
    for name, config in configs.items():
        try:
            found = run(config, folder / name)
        except UserError as error:
            found = str(error)
        torch.save(found, folder / f'{name}_{rank}.pt')


def differences(found, expected):
    """Return the largest relative difference of losses, gradients and weights.

    Relative to the largest element of a tensor, or to 1e-3 where that is less: what is
    zero but for rounding (a bias before a batch norm) has no digits to compare.
    """
    assert [n for n, _ in found['losses']] == [n for n, _ in expected['losses']]
    assert found['gradients'].keys() == expected['gradients'].keys()
    assert found['weights'].keys() == expected['weights'].keys()
    losses = zip(found['losses'], expected['losses'], strict=True)
    return dict(
        losses=max(_relative(a, b) for (_, a), (_, b) in losses),
        **{
            kind: max(_relative(found[kind][k], v) for k, v in expected[kind].items())
            for kind in ('gradients', 'weights')
        },
    )


def _relative(found, expected):
    gap = (found.double() - expected.double()).abs().max()
    return float(gap / expected.double().abs().max().clamp(min=1e-3))
