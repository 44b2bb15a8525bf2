"""Several named benchmarks in one test or validation."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from hplreid.evaluation import format_table
from hplreid.registry import LOOPS

from ..checkpoint_selection import SELECTION, describe_choice, describe_stamp
from .test_time_augmentation import TestTimeAugmentation

TRAINED_ON = 'trained_on'
"""Where in MMEngine's message hub the name of a checkpoint's training data stands."""


class LoaderChain:
    """Loaders one after the other: hooks and log processors read the total length."""

    def __init__(self, loaders: Mapping[str, DataLoader]) -> None:
        self.loaders = dict(loaders)

    def __len__(self) -> int:
        return sum(len(loader) for loader in self.loaders.values())


@LOOPS.register_module()
class BenchmarkLoop(BaseLoop):
    """Test on several benchmarks, report them in one table and in ``metrics.json``.

    The scores of each query go to ``per_query/<benchmark>.npz``, for comparisons.

    ``test_dataloader`` and ``test_evaluator`` of the config are dicts with the names of
    the benchmarks as keys. To hooks it is one epoch over all loaders, whose metrics are
    named ``<benchmark>/<metric>``.

    Args:
        runner: The runner.
        dataloader: Benchmark -> loader or its config. A sampler that isn't given is the
            ordinary one, in order.
        evaluator: Benchmark -> evaluator, or config of a metric or of several.
        augment: Arguments of :class:`TestTimeAugmentation`; None for none.
        dump_features: Folder to write the features to, ``<benchmark>.npz`` each; None
            for none.

    Raises:
        TypeError: One of them isn't a dict of benchmarks, or features shall be written
            that no metric keeps.
        ValueError: They don't name the same benchmarks.
    """

    mode = 'test'

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping[str, DataLoader | dict],
        evaluator: Mapping[str, Evaluator | dict | list],
        augment: dict | None = None,
        dump_features: str | None = None,
    ) -> None:
        self._check_names(dataloader, evaluator)
        loaders = {k: self._build_loader(runner, v) for k, v in dataloader.items()}
        super().__init__(runner, LoaderChain(loaders))
        self.evaluators = {k: runner.build_evaluator(v) for k, v in evaluator.items()}
        for name, loader in loaders.items():
            self.evaluators[name].dataset_meta = getattr(
                loader.dataset, 'metainfo', None
            )
        self.augmentation = TestTimeAugmentation(**(augment or {}))
        self.dump_features = dump_features
        if dump_features and not any(
            hasattr(m, 'features') for _, m in self._metrics()
        ):
            raise TypeError(
                f'dump_features={dump_features!r}: no metric of {list(evaluator)} '
                'keeps features, as RetrievalMetric does.'
            )

    def run(self) -> dict[str, float]:
        """Test every benchmark.

        Returns:
            ``<benchmark>/<metric>`` -> percent, on every process.
        """
        self._call_hook('before_{}')
        self._call_hook('before_{}_epoch')
        self.runner.model.eval()
        metrics: dict[str, dict[str, float]] = {}
        first = 0
        for name, loader in self.dataloader.loaders.items():
            self.runner.logger.info(
                f'Benchmark {name}: {len(loader.dataset)} samples, batches {first + 1} '
                f'to {first + len(loader)} of {len(self.dataloader)}.'
            )
            for idx, batch in enumerate(loader, start=first):
                self._run_iter(idx, batch, self.evaluators[name])
            first += len(loader)
            metrics[name] = self.evaluators[name].evaluate(len(loader.dataset))
        flat = {f'{n}/{k}': v for n, own in metrics.items() for k, v in own.items()}
        if is_main_process():
            self._report(metrics, flat)
        self._call_hook('after_{}_epoch', metrics=flat)
        self._call_hook('after_{}')
        return flat

    @torch.no_grad()
    def _run_iter(self, idx: int, batch: object, evaluator: Evaluator) -> None:
        self._call_hook('before_{}_iter', batch_idx=idx, data_batch=batch)
        step = getattr(self.runner.model, f'{self.mode}_step')
        outputs = self.augmentation.run(step, batch)
        evaluator.process(data_samples=outputs, data_batch=batch)
        self._call_hook(
            'after_{}_iter', batch_idx=idx, data_batch=batch, outputs=outputs
        )

    def _call_hook(self, name: str, **kwargs: object) -> None:
        self.runner.call_hook(name.format(self.mode), **kwargs)

    def _report(
        self, metrics: Mapping[str, dict[str, float]], flat: dict[str, float]
    ) -> None:
        rows: dict[str, dict[str, float | str]] = {}
        for name, scores in metrics.items():
            for key, score in scores.items():  # a metric with a prefix has its own row
                row, _, column = f'{name}/{key}'.rpartition('/')
                rows.setdefault(row, {})[column] = score
            for metric in self.evaluators[name].metrics:
                row = f'{name}/{metric.prefix}' if metric.prefix else name
                rows.setdefault(row, {}).update(getattr(metric, 'settings', {}))
        title = [
            describe_weights(self.runner),
            *describe_training_data(self.runner),
            *self.augmentation.describe(),
            f'processes: {get_world_size()}',
            f'seed: {self.runner.seed}',
        ]
        self.runner.logger.info('\n' + format_table(rows, ' | '.join(title)))
        if self.mode == 'test':
            write_json(Path(self.runner.work_dir) / 'metrics.json', flat)
            self._write_arrays()

    def _write_arrays(self) -> None:
        folder = Path(self.runner.work_dir) / 'per_query'
        for name, metric in self._metrics():
            if hasattr(metric, 'per_query'):
                metric.per_query().save(folder / f'{name}.npz')
            if self.dump_features and hasattr(metric, 'features'):
                metric.features().save(Path(self.dump_features) / f'{name}.npz')

    def _metrics(self) -> Iterator[tuple[str, BaseMetric]]:
        """Yield every metric and the name of what it writes."""
        for name, evaluator in self.evaluators.items():
            for metric in evaluator.metrics:
                yield f'{name}_{metric.prefix}' if metric.prefix else name, metric

    def _check_names(self, dataloader: Mapping, evaluator: Mapping) -> None:
        for kind, value, key in (
            ('dataloader', dataloader, 'dataset'),
            ('evaluator', evaluator, 'type'),
        ):
            if not isinstance(value, Mapping) or key in value:
                raise TypeError(
                    f"{self.mode}_{kind} must be a dict of benchmarks, {{'name': "
                    f'config, ...}}, for {type(self).__name__}; got {value!r}.'
                )
        loaders, evaluators = set(dataloader), set(evaluator)
        if loaders != evaluators or not loaders:
            raise ValueError(
                f'{self.mode}_dataloader and {self.mode}_evaluator must name the same '
                f'benchmarks; only the first: {sorted(loaders - evaluators)}, only the '
                f'second: {sorted(evaluators - loaders)}.'
            )

    @staticmethod
    def _build_loader(runner: Runner, loader: DataLoader | dict) -> DataLoader:
        if isinstance(loader, DataLoader):
            return loader
        in_order = {'type': 'DefaultSampler', 'shuffle': False}
        return runner.build_dataloader(
            {'sampler': in_order, **loader}, seed=runner.seed
        )


@LOOPS.register_module()
class BenchmarkValLoop(BenchmarkLoop):
    """The same for validation, from ``val_dataloader`` and ``val_evaluator``.

    It calls the hooks of validation and leaves ``metrics.json`` to the test.
    """

    mode = 'val'


def describe_weights(runner: Runner) -> str:
    """Say which weights are tested and how they were chosen."""
    # Not runner.train_loop: reading it would build the loop and its data.
    loop = runner._train_loop
    if isinstance(loop, BaseLoop) and loop.iter > 0:
        stamp = runner.message_hub.get_info(SELECTION)
        epoch = stamp['epoch'] if stamp else loop.epoch
        chosen = describe_stamp(stamp) if stamp else 'not selected'
        return f'weights: this run after epoch {epoch} ({chosen})'
    if runner._load_from is None:
        return 'weights: as initialized, no checkpoint'
    name = Path(runner._load_from).name
    return f'checkpoint: {name} ({describe_choice(runner, name)})'


def describe_training_data(runner: Runner) -> list[str]:
    """Say what the weights were trained on; nothing where it isn't known."""
    loop = runner._train_loop
    if isinstance(loop, BaseLoop) and loop.iter > 0:
        metainfo = getattr(loop.dataloader.dataset, 'metainfo', None) or {}
        name = metainfo.get('dataset_name')
    else:
        name = runner.message_hub.get_info(TRAINED_ON)
    return [f'trained on: {name}'] if name else []


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a file that is either whole or not there."""
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    temporary.write_text(json.dumps(content, indent=2) + '\n')
    os.replace(temporary, path)
