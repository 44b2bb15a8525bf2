"""Test or validate on several named benchmarks."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import DataLoader

from hplreid.evaluation import format_table
from hplreid.evaluation.files import LEDGER, append_entry, write_scores
from hplreid.registry import LOOPS
from hplreid.utils.user_error import UserError

from ..checkpoint_selection import SELECTION, describe_record, describe_selection
from ..data_parallel import unwrap
from ..results.provenance import collect_provenance
from ..sharding import gathered
from .test_time_augmentation import TestTimeAugmentation

TRAINED_ON = 'trained_on'
"""Key of the name of a checkpoint's training set in MMEngine's message hub."""


class BenchmarkError(UserError, ValueError):
    """The benchmarks of a config don't fit together."""


class BenchmarkTypeError(UserError, TypeError):
    """A part of a config isn't what several benchmarks need."""


class LoaderChain:
    """Dataloaders in sequence; hooks and log processors read the total length."""

    def __init__(self, loaders: Mapping[str, DataLoader]) -> None:
        self.loaders = dict(loaders)

    def __len__(self) -> int:
        return sum(len(loader) for loader in self.loaders.values())


@LOOPS.register_module()
class BenchmarkLoop(BaseLoop):
    """Tests on several benchmarks and reports them in one table.

    The scores are also written to ``metrics.json`` in the folder of results, and those
    of each query to ``per_query/<benchmark>.npz``. Each file carries where it comes
    from, see :func:`.collect_provenance`; the ledger ``results.jsonl`` of the work
    folder gets a line.

    ``test_dataloader`` and ``test_evaluator`` of the config are dicts with the names of
    the benchmarks as keys. Hooks see one epoch over all dataloaders, whose metrics are
    named ``<benchmark>/<metric>``.

    Args:
        runner: The runner.
        dataloader: The dataloader, or its config, of each benchmark. The default
            sampler yields all items in order.
        evaluator: The evaluator of each benchmark, or the config of its metrics.
        augment: Arguments of :class:`TestTimeAugmentation`. Defaults to None: images
            are encoded once.
        dump_features: Folder in which the features of each benchmark are written as
            ``<benchmark>.npz``; True for ``features`` in the folder of results.
            Defaults to None: they are not written.

    Attributes:
        folder: The folder of results; the runner's work folder if nobody sets another.

    Raises:
        BenchmarkTypeError: ``dataloader`` or ``evaluator`` isn't a dict of benchmarks,
            or features are to be written but no metric keeps them.
        BenchmarkError: They don't name the same benchmarks.
    """

    mode = 'test'

    def __init__(
        self,
        runner: Runner,
        dataloader: Mapping[str, DataLoader | dict],
        evaluator: Mapping[str, Evaluator | dict | list],
        augment: dict | None = None,
        dump_features: str | bool | None = None,
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
        self.folder = Path(runner.work_dir)
        if dump_features and not any(
            hasattr(m, 'features') for _, m in self._metrics()
        ):
            raise BenchmarkTypeError(
                f'dump_features={dump_features!r}: no metric of {list(evaluator)} '
                'keeps features, as RetrievalMetric does.'
            )

    def run(self) -> dict[str, float]:
        """Test every benchmark.

        Returns:
            Scores in percent by ``<benchmark>/<metric>``, the same in every process.
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
            with gathered(unwrap(self.runner.model)):
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
        """Log the table of scores and, after a test, write the files."""
        rows: dict[str, dict[str, float | str]] = {}
        for name, scores in metrics.items():
            for key, score in scores.items():  # a metric with a prefix gets its own row
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
            self._write(flat)

    def _write(self, scores: dict[str, float]) -> None:
        """Write the files of results, then the line of the ledger."""
        provenance = collect_provenance(
            self.runner,
            self.dataloader.loaders,
            self.evaluators,
            ' | '.join(self.augmentation.describe()) or 'none',
        )
        self._write_arrays(provenance)
        write_scores(self.folder / 'metrics.json', scores, provenance)
        # Results of a test have a folder of their own in the work folder of the config
        work_dir = Path(self.runner.cfg.get('work_dir') or self.runner.work_dir)
        entry = dict(
            time=provenance['time'],
            folder=Path(os.path.relpath(self.folder, work_dir)).as_posix(),
            scores=scores,
            provenance=provenance,
        )
        append_entry(work_dir / LEDGER, entry)

    def _write_arrays(self, provenance: dict[str, Any]) -> None:
        """Write the scores of each query and, on request, the features."""
        dump = self.dump_features
        features = self.folder / 'features' if dump is True else dump and Path(dump)
        for name, metric in self._metrics():
            if hasattr(metric, 'per_query'):
                scores = replace(metric.per_query(), provenance=provenance)
                scores.save(self.folder / 'per_query' / f'{name}.npz')
            if features and hasattr(metric, 'features'):
                found = replace(metric.features(), provenance=provenance)
                found.save(features / f'{name}.npz')

    def _metrics(self) -> Iterator[tuple[str, BaseMetric]]:
        """Yield every metric, with the name of the files that it writes."""
        for name, evaluator in self.evaluators.items():
            for metric in evaluator.metrics:
                yield f'{name}_{metric.prefix}' if metric.prefix else name, metric

    def _check_names(self, dataloader: Mapping, evaluator: Mapping) -> None:
        """Check that dataloaders and evaluators name the same benchmarks."""
        for kind, value, key in (
            ('dataloader', dataloader, 'dataset'),
            ('evaluator', evaluator, 'type'),
        ):
            if not isinstance(value, Mapping) or key in value:
                raise BenchmarkTypeError(
                    f"{self.mode}_{kind} must be a dict of benchmarks, {{'name': "
                    f'config, ...}}, for {type(self).__name__}; got {value!r}.'
                )
        loaders, evaluators = set(dataloader), set(evaluator)
        if loaders != evaluators or not loaders:
            raise BenchmarkError(
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
    """Validates on several benchmarks, from ``val_dataloader`` and ``val_evaluator``.

    It calls the hooks of validation and writes no files; see :class:`BenchmarkLoop`.
    """

    mode = 'val'


def describe_weights(runner: Runner) -> str:
    """Describe which weights are tested and how they were selected."""
    # Not runner.train_loop: reading it would build the loop and its datasets
    loop = runner._train_loop
    if isinstance(loop, BaseLoop) and loop.iter > 0:
        record = runner.message_hub.get_info(SELECTION)
        epoch = record['epoch'] if record else loop.epoch
        selection = describe_record(record) if record else 'not selected'
        return f'weights: this run after epoch {epoch} ({selection})'
    if runner._load_from is None:
        return 'weights: as initialized, no checkpoint'
    name = Path(runner._load_from).name
    return f'checkpoint: {name} ({describe_selection(runner, name)})'


def describe_training_data(runner: Runner) -> list[str]:
    """Describe what the weights were trained on; return no line if it is unknown."""
    loop = runner._train_loop
    if isinstance(loop, BaseLoop) and loop.iter > 0:
        metainfo = getattr(loop.dataloader.dataset, 'metainfo', None) or {}
        name = metainfo.get('dataset_name')
    else:
        name = runner.message_hub.get_info(TRAINED_ON)
    return [f'trained on: {name}'] if name else []
