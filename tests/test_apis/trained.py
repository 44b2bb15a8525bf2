"""A checkpoint of a tiny model, as a training leaves it, and the config of its test."""

from functools import cached_property

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hplreid.apis.publishing import publish_model
from hplreid.engine.run import score
from hplreid.evaluation import FeatureSet
from hplreid.registry import MODELS
from tests.helpers import make_cuhk_pedes, make_market
from tests.test_swaps.methods import METHODS as PLAIN
from tests.test_swaps.methods import config_of

METHODS = (*PLAIN, 'PromptSG (constant)', 'TransReID (cameras)')
READ_CAPTIONS = ('CLIP', 'IRRA', 'Propot', 'HPL')
_PIPELINE = [
    dict(type='LoadImage'),
    dict(type='ResizeImage', size=(32, 16), interpolation='bicubic'),
    dict(type='TokenizeCaption'),
    dict(type='PackReIDInputs'),
]


def model_of(method):
    """Return the config of a tiny model, for training."""
    if method == 'PromptSG (constant)':
        return dict(config_of('PromptSG'), inference='constant')
    if method == 'TransReID (cameras)':
        config = config_of('TransReID')
        config['image_encoder'] = dict(config['image_encoder'], num_cameras=2)
        return config
    return config_of(method)


class TinyRun:
    """A model with random weights in a checkpoint, tested when first asked."""

    def __init__(self, folder, method):
        self.folder = folder / method.replace(' ', '_')
        self.folder.mkdir()
        market = folder / 'market'
        cuhk = folder / 'cuhk'
        if not market.exists():
            make_market(market, num_test_ids=4)
            make_cuhk_pedes(cuhk, num_test_ids=4)
        sets = dict(i2i=dict(type='Market1501', data_root=str(market)))
        if method in READ_CAPTIONS:
            sets['t2i'] = dict(type='CUHKPEDES', data_root=str(cuhk))
        self.tasks = tuple(sets)
        self.config = Config(
            dict(
                default_scope='hplreid',
                model=model_of(method),
                work_dir=str(self.folder / 'work'),
                test_cfg=dict(type='BenchmarkLoop', dump_features=True),
                test_dataloader={
                    task: dict(
                        batch_size=8,
                        num_workers=0,
                        collate_fn=dict(type='reid_collate'),
                        dataset=dict(
                            **dataset, split='test', expected=None, pipeline=_PIPELINE
                        ),
                    )
                    for task, dataset in sets.items()
                },
                test_evaluator={
                    task: dict(type='RetrievalMetric', task=task) for task in sets
                },
            )
        )
        DefaultScope.get_instance('hplreid-tests', scope_name='hplreid')
        torch.manual_seed(3)
        model = MODELS.build(self.config.model.to_dict())
        for buffer in model.buffers():  # means and deviations that a training has moved
            if buffer.is_floating_point() and buffer.shape not in ((1, 3, 1, 1), ()):
                buffer.data.add_(0.1 * torch.rand_like(buffer))
        self.checkpoint = self.folder / 'epoch_2.pth'
        meta = dict(
            cfg=self.config.pretty_text,
            epoch=2,
            seed=3,
            dataset_meta=dict(dataset_name='tiny', num_ids=6, label_of={7: 0, 'b': 1}),
        )
        content = dict(state_dict=model.state_dict(), meta=meta)
        torch.save({**content, 'optimizer': {}}, self.checkpoint)

    def score(self, checkpoint, tag):
        """Return scores and features of a file, as tools/test.py makes them."""
        config = self.config.copy()
        config.experiment_name = f'{self.folder.name} {tag}'
        scores, folder = score(config, str(checkpoint), tag=tag)
        features = {
            task: FeatureSet.load(folder / 'features' / f'{task}.npz')
            for task in self.tasks
        }
        return scores, features, folder

    @cached_property
    def tested(self):
        """Scores and features of the checkpoint, and their folder."""
        return self.score(self.checkpoint, 'checkpoint')

    @cached_property
    def published(self):
        """The published file, and what was said of it."""
        out = self.folder / 'published.safetensors'
        said = publish_model(
            self.checkpoint, out, self.tested[2] / 'metrics.json', note='tiny'
        )
        return out, said
