"""Try a swap: one training step of each stage and one inference, or the refusal."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

import hplreid.models  # noqa: F401
from hplreid.engine.config.checks.model_inputs import find_input_problems
from hplreid.registry import MODELS
from hplreid.structures import ReIDDataSample
from hplreid.utils.user_error import UserError
from tests.test_models.test_reid.tiny import NUM_IDS, make_batch

from .parts import JOINT, SIZE

TRAINS, REFUSED, BREAKS = 'trains', 'refused', 'breaks'


@dataclass
class Swap:
    """A part in a slot of a method.

    Attributes:
        method: Name of the method.
        slot: Where the part stands, ``'image_encoder'`` say.
        part: Its name.
        model: Config of the model with it.
        module: The part's place in the model, which a gradient must reach; ``''`` for a
            part that nothing is trained of.
        captioned: Whether batches have captions.
        size: Height and width of images.
    """

    method: str
    slot: str
    part: str
    model: dict = field(repr=False)
    module: str = ''
    captioned: bool = True
    size: tuple[int, int] = SIZE

    def __str__(self) -> str:
        return f'{self.method}-{self.slot}-{self.part}'.replace(' ', '_')


@dataclass
class Outcome:
    """What came of a swap: one of ``TRAINS``, ``REFUSED``, ``BREAKS``, and why."""

    kind: str
    message: str = ''


def try_swap(swap: Swap) -> Outcome:
    """Check, build, train a step of each stage, and encode a batch at test."""
    if DefaultScope.get_current_instance() is None:
        DefaultScope.get_instance('hplreid-test', scope_name='hplreid')
    torch.manual_seed(0)
    try:
        model = build(swap)
    except UserError as error:
        return Outcome(REFUSED, str(error))
    except Exception as error:
        return Outcome(BREAKS, f'build: {type(error).__name__}: {error}')
    try:
        problem = train_and_test(model, swap)
    except Exception as error:
        return Outcome(BREAKS, f'step: {type(error).__name__}: {error}')
    return Outcome(BREAKS, problem) if problem else Outcome(TRAINS)


def build(swap: Swap) -> nn.Module:
    """Build a model as a run does: its config is checked first."""
    pipeline = [
        dict(type='ResizeImage', size=swap.size),
        dict(type='TokenizeCaption'),
        dict(type='MaskCaption'),
    ]
    data, sampler = ('Market1501', 'IdentitySampler')
    if swap.captioned:
        data, sampler = 'JointDataset', 'JointSampler'
    config = dict(
        model=swap.model,
        train_dataloader=dict(
            sampler=dict(type=sampler), dataset=dict(type=data, pipeline=pipeline)
        ),
        train_cfg=dict(stages={stage: {} for stage in swap.model['heads']}),
    )
    problems = find_input_problems(Config(config))
    if problems:
        raise UserError('\n'.join(problems))
    return MODELS.build(swap.model)


def train_and_test(model: nn.Module, swap: Swap) -> str:
    """Return what is wrong with the losses, gradients or features of a model."""
    batch = batch_of(swap)
    if getattr(model, 'has_prototypes', False):
        made = torch.randn(NUM_IDS, JOINT), torch.arange(NUM_IDS)
        model.receive_features(dict.fromkeys(model.prototypes.reads.values(), made))
    reached = not swap.module
    for stage in model.heads:
        losses = step(model, stage, batch)
        if not losses or not all(torch.isfinite(v) for v in losses.values()):
            return f'losses of stage {stage}: {losses}'
        reached = reached or has_gradient(model, swap.module)
    if not reached:
        return f'no gradient reaches {swap.module}'
    return check_inference(model, swap, batch)


def batch_of(swap: Swap) -> dict:
    """Return a batch of four captioned images and eight others, or of these alone."""
    batch = make_batch(captioned=4 if swap.captioned else 0)
    images = batch['images'].float()
    if swap.size != SIZE:
        images = F.interpolate(images, swap.size)
    return {**batch, 'images': images}


def step(model: nn.Module, stage: str, batch: dict) -> dict:
    """Train a step of a stage; return its losses."""
    frozen = 'prompt_encoder' if swap_freezes(model) else None
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(frozen is None or not name.startswith(frozen))
    model.enter_stage(stage)
    model.train()
    losses = model.loss(batch)
    model.zero_grad()
    sum(losses.values()).backward()
    torch.optim.SGD(model.parameters(), lr=1e-3).step()
    return {name: value.detach() for name, value in losses.items()}


def swap_freezes(model: nn.Module) -> bool:
    """Return whether a method never trains the tower of its prompts."""
    return type(model).__name__ == 'PromptSG'


def has_gradient(model: nn.Module, prefix: str) -> bool:
    """Return whether a part has a gradient, or nothing that could have one."""
    own = [p for n, p in model.named_parameters() if n.startswith(prefix)]
    return not own or any(p.grad is not None and p.grad.any() for p in own)


@torch.no_grad()
def check_inference(model: nn.Module, swap: Swap, batch: dict) -> str:
    """Return what is wrong with features of the model that a test would build."""
    alone = {k: v for k, v in swap.model.items() if k != 'num_ids'}
    built = MODELS.build(alone)
    saved = model.state_dict()
    missing = sorted(built.state_dict().keys() - saved.keys())
    if missing:
        return f'at test without {missing[:3]}'
    built.load_state_dict(saved, strict=False)
    samples = [ReIDDataSample() for _ in batch['labels']]
    built.eval()
    built(batch, samples, mode='predict')
    features = torch.stack([sample.i2i_feat for sample in samples])
    if features.dim() != 2 or not torch.isfinite(features).all():
        return f'I2I features of shape {tuple(features.shape)}'
    return ''
