"""Several named benchmarks in one test or validation."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from hplreid.evaluation import format_table
from hplreid.registry import LOOPS


class LoaderChain:
    """Loaders one after the other: hooks and log processors read the total length."""

    def __init__(self, loaders: Mapping[str, DataLoader]) -> None:
        self.loaders = dict(loaders)

    def __len__(self) -> int:
        return sum(len(loader) for loader in self.loaders.values())


@LOOPS.register_module()
class BenchmarkLoop(BaseLoop):
    """Test on several benchmarks, report them in one table and in ``metrics.json``.

    ``test_dataloader`` and ``test_evaluator`` of the config are dicts with the names of
    the benchmarks as keys. To hooks it is one epoch over all loaders, whose metrics are
    named ``<benchmark>/<metric>``.

    Args:
        runner: The runner.
        dataloader: Benchmark -> loader or its config. A sampler that isn't given is the
            ordinary one, in order.
        evaluator: Benchmark -> evaluator, or config of a metric or of several.

    Raises:
        TypeError: One of them isn't a dict of benchmarks.
        ValueError: They don't name the same benchmarks.
    """

    mode = 'test'

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping[str, DataLoader | dict],
        evaluator: Mapping[str, Evaluator | dict | list],
    ) -> None:
        self._check_names(dataloader, evaluator)
        loaders = {k: self._build_loader(runner, v) for k, v in dataloader.items()}
        super().__init__(runner, LoaderChain(loaders))
        self.evaluators = {k: runner.build_evaluator(v) for k, v in evaluator.items()}
        for name, loader in loaders.items():
            self.evaluators[name].dataset_meta = getattr(
                loader.dataset, 'metainfo', None
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
        outputs = step(batch)
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
        title = (
            f'{describe_weights(self.runner)} | processes: {get_world_size()} | '
            f'seed: {self.runner.seed}'
        )
        self.runner.logger.info('\n' + format_table(rows, title))
        if self.mode == 'test':
            write_json(Path(self.runner.work_dir) / 'metrics.json', flat)

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
        return f'weights: this run after epoch {loop.epoch} (not selected)'
    if runner._load_from is None:
        return 'weights: as initialised, no checkpoint'
    name = Path(runner._load_from).name
    chosen = 'not selected'
    if name.startswith('best_'):  # how CheckpointHook(save_best=...) names files
        split = 'the test split' if _validates_on_test(runner) else 'validation'
        chosen = f'best on {split}'
    return f'checkpoint: {name} ({chosen})'


def _validates_on_test(runner: Runner) -> bool:
    val, test = (
        [v['dataset'] if isinstance(v, Mapping) else v.dataset for v in named.values()]
        for named in (runner._val_dataloader or {}, runner._test_dataloader or {})
    )
    return any(dataset in test for dataset in val)


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a file that is either whole or not there."""
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    temporary.write_text(json.dumps(content, indent=2) + '\n')
    os.replace(temporary, path)
