"""A model with two stages and a dataset, with the least that the engine needs."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import get_dist_info
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset, Sampler

import hplreid.engine  # noqa: F401
from hplreid.registry import DATA_SAMPLERS, DATASETS, METRICS, MODELS
from hplreid.utils.distributed import gather_with_grad

NUM_ITEMS, BATCH = 24, 8


@DATASETS.register_module()
class ToyNumbers(Dataset):
    """Items of four numbers; a seed adds noise, as an augmentation does."""

    def __init__(self, shift: int = 0) -> None:
        self.metainfo = dict(
            num_ids=3, label_of={100 + shift: 0, 200 + shift: 1, 300 + shift: 2}
        )
        self.x = torch.arange(NUM_ITEMS * 4.0).reshape(-1, 4) / 96

    @classmethod
    def find_problems(cls, shift: int = 0) -> list[str]:
        """A negative shift is a problem."""
        return [f'shift={shift} is negative'] if shift < 0 else []

    def __len__(self) -> int:
        return NUM_ITEMS

    def __getitem__(self, index: int | tuple[int, int]) -> dict[str, Any]:
        position, seed = index if isinstance(index, tuple) else (index, 0)
        noise = torch.randn(4, generator=torch.Generator().manual_seed(seed))
        return dict(inputs=self.x[position] + 0.1 * noise, label=position % 3)


@DATA_SAMPLERS.register_module()
class ToySampler(Sampler):
    """A permutation by seed and epoch, with each batch divided among ranks."""

    def __init__(self, dataset: Dataset, seed: int, batch: int = BATCH) -> None:
        self.dataset, self.seed, self.batch = dataset, seed, batch
        self.epoch = self.start = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def set_start(self, iteration: int) -> None:
        self.start = iteration

    def __len__(self) -> int:
        return len(self.dataset) // get_dist_info()[1]

    def __iter__(self):
        rank, world = get_dist_info()
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.dataset)).tolist()
        share = self.batch // world
        for place, index in enumerate(order):
            mine = place % self.batch // share == rank
            if mine and place // self.batch >= self.start:
                yield index, self.epoch * 1000 + place


@METRICS.register_module()
class ToyScore(BaseMetric):
    """The mean of the predictions."""

    def process(self, data_batch: Any, data_samples: list[dict]) -> None:
        self.results += [sample['value'] for sample in data_samples]

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return dict(mean=sum(results) / len(results))


@MODELS.register_module()
class ToyModel(BaseModel):
    """``prompt`` is fitted to the frozen ``tower``, then ``tower`` to ``prompt``."""

    stages = ['construct', 'align']
    indexed_by = {'prompt': 'identity'}

    def __init__(
        self, num_ids: int | None = None, dropout: float = 0.2, nan_at: int = -1
    ) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
        self.dropout = nn.Dropout(dropout)
        self.nan_at, self.steps = nan_at, 0
        self.entered: list[str] = []
        if num_ids is not None:
            self.prompt = nn.Embedding(num_ids, 3)
            self.heads = nn.ModuleDict(
                dict(construct=nn.ModuleList(), align=nn.ModuleList([nn.Linear(3, 3)]))
            )

    def enter_stage(self, name: str) -> None:
        self.entered.append(name)

    def forward(
        self, inputs: list[torch.Tensor], label: list[int], mode: str = 'loss'
    ) -> Any:
        x = self.tower(torch.stack(list(inputs)))
        if mode == 'predict':
            return [dict(value=value.sum().item()) for value in x]
        label = torch.as_tensor(label)
        x, label = gather_with_grad(self.dropout(x)), gather_with_grad(label)
        self.steps += 1
        target = self.prompt(label)
        if self.entered[-1] == 'align':
            x = self.heads['align'][0](x)
        loss = nn.functional.mse_loss(x, target)
        logits = x @ self.prompt.weight.T
        broken = float('nan') if self.steps == self.nan_at else 1.0
        # Numbers from every generator, whose states a resume must restore
        jitter = 1 + 0.01 * (random.random() + np.random.rand())
        return dict(
            loss_pull=loss * jitter,
            loss_id=nn.functional.cross_entropy(logits, label) * broken,
        )


def toy_config(work_dir: str | Path, **changes: Any) -> Config:
    """Return the config of a run of 2 + 3 epochs with 3 steps each."""
    config = Config(
        dict(
            model=dict(type='ToyModel', num_ids=3),
            train_dataloader=dict(
                batch_size=BATCH,
                num_workers=0,
                dataset=dict(type='ToyNumbers'),
                sampler=dict(type='ToySampler'),
            ),
            optim_wrapper=dict(type='AutocastOptimWrapper', clip_grad=dict(max_norm=1)),
            train_cfg=dict(
                type='StagedTrainLoop',
                stages=dict(
                    construct=dict(
                        epochs=2,
                        trainable=['prompt', 'heads.construct'],
                        optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.02)),
                        param_scheduler=[dict(type='ExponentialLR', gamma=0.5)],
                    ),
                    align=dict(
                        epochs=3,
                        trainable=['tower', 'heads.align'],
                        optim_wrapper=dict(
                            optimizer=dict(type='AdamW', lr=0.01, weight_decay=0.1),
                            paramwise_cfg=dict(
                                custom_keys={
                                    'heads.align': dict(lr_mult=5),
                                    'bias': dict(lr_mult=2, decay_mult=0),
                                }
                            ),
                        ),
                        param_scheduler=[
                            dict(
                                type='LinearLR',
                                start_factor=0.1,
                                end=2,
                                convert_to_iter_based=True,
                            ),
                            dict(type='MultiStepLR', milestones=[2], gamma=0.1),
                        ],
                    ),
                ),
            ),
            default_hooks=dict(
                runtime_info=dict(type='LossLogHook'),
                logger=dict(type='LoggerHook', interval=2),
                checkpoint=dict(type='AtomicCheckpointHook', interval=1),
                sampler_seed=None,
            ),
            model_wrapper_cfg=dict(type='ReIDDataParallel'),
            default_scope='hplreid',
            randomness=dict(seed=7),
            work_dir=str(work_dir),
            log_level='WARNING',
        )
    )
    config.merge_from_dict(changes)
    return config


def train(config: Config) -> Runner:
    """Train by a config, as an experiment of its own name."""
    train.runs = getattr(train, 'runs', 0) + 1
    config.experiment_name = f'toy{train.runs}'
    runner = Runner.from_cfg(config)
    runner.train()
    return runner
