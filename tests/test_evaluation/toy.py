"""A model and a dataset without images, and a Runner that scores them."""

import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import Dataset

from hplreid.engine.loops.benchmark_loop import BenchmarkLoop, BenchmarkValLoop
from hplreid.registry import DATASETS, MODELS
from hplreid.structures import ReIDDataSample

__all__ = ['BenchmarkLoop', 'BenchmarkValLoop', 'build_runner', 'loader', 'metric']


@DATASETS.register_module()
class ToyVectors(Dataset):
    """15 queries and 22 gallery items of 5 identities under 3 cameras."""

    def __init__(self, seed, img_path=None):
        generator = torch.Generator().manual_seed(seed)
        self.vectors = torch.randn(37, 8, generator=generator)
        self.img_path = img_path
        self.metainfo = {'seed': seed}

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, index):
        sample = ReIDDataSample(
            metainfo={
                'pid': index % 5,
                'camid': index % 3,
                'label': -1,
                'split': 'query' if index < 15 else 'gallery',
                'source': 'toy',
                'sample_idx': index,
                'img_path': self.img_path,
                'caption': None if self.img_path else f'words {index}',
            }
        )
        return {'inputs': self.vectors[index], 'data_samples': sample}


@MODELS.register_module()
class ToyIdentity(BaseModel):
    """One weight, which scales: it changes no ranking by cosine."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        features = torch.stack(inputs) * self.scale
        if mode == 'loss':
            return {'loss': features.square().mean()}
        assert not torch.is_grad_enabled()
        assert not self.training
        for sample, feature in zip(data_samples, features, strict=True):
            sample.i2i_feat = sample.t2i_feat = feature
        return data_samples


def loader(seed, **dataset):
    return {
        'batch_size': 4,
        'num_workers': 0,
        'dataset': {'type': 'ToyVectors', 'seed': seed, **dataset},
    }


def metric(task, **options):
    return {'type': 'RetrievalMetric', 'task': task, **options}


def build_runner(work_dir, **options):
    return Runner(
        model={'type': 'ToyIdentity'},
        work_dir=str(work_dir),
        experiment_name=f'toy_{abs(hash((str(work_dir), str(options))))}',
        default_scope='hplreid',
        randomness={'seed': 3},
        log_level='INFO',
        **options,
    )
