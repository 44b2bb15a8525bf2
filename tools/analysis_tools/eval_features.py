"""Score saved features, of this or any other code base.

    python tools/analysis_tools/eval_features.py FILE.npz [FILE.npz ...]
        [--distance cosine] [--same-camera drop] [--topk 1 5 10] [--ties order]
        [--verification] [--open-set 0.5] [--bootstrap] [--out DIR]

A file holds ``query_feats`` (Q, D), ``gallery_feats`` (G, D), ``query_pids`` (Q,) and
``gallery_pids`` (G,), -1 for junk; ``query_camids`` and ``gallery_camids`` for the
camera rule; and ``query_names`` and ``gallery_names`` (strings), so that runs can be
compared query by query. ``numpy.savez(path, query_feats=..., ...)`` writes one, and so
does ``tools/test.py --dump-features``.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('files', nargs='+', type=Path, metavar='FILE.npz')
    parser.add_argument(
        '--distance',
        choices=['cosine', 'euclidean', 'sqeuclidean'],
        help="defaults to the file's, else cosine",
    )
    parser.add_argument(
        '--same-camera',
        choices=['drop', 'keep'],
        help="gallery items of the query's identity and camera; defaults to what the "
        'file says, else drop where all cameras are known',
    )
    parser.add_argument(
        '--ties',
        choices=['order', 'expected'],
        default='order',
        help='equally close items rank in the order of the gallery, or scores are the '
        'means over all orders',
    )
    parser.add_argument('--topk', nargs='+', type=int, default=[1, 5, 10])
    parser.add_argument(
        '--verification', action='store_true', help='TAR at FAR, thresholds, EER, AUC'
    )
    parser.add_argument(
        '--open-set',
        type=float,
        metavar='SHARE',
        help='FNIR at FPIR, with this share of the identities out of the gallery',
    )
    parser.add_argument(
        '--bootstrap', action='store_true', help='95 %% intervals over identities'
    )
    parser.add_argument('--seed', type=int, default=0, help='of whatever is drawn')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='write metrics.json, per_query/ and, with --verification or --open-set, '
        'the thresholds here; with --verification a drawing, too',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace scores that --out has'
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

import numpy as np
from prettytable import PrettyTable

from hplreid.engine.results import check_new_file, describe_code, hash_file
from hplreid.evaluation import (
    ArrayFileError,
    FeatureSet,
    OpenSetReport,
    PerQueryScores,
    VerificationReport,
    bootstrap_mean,
    evaluate_ranking,
    format_table,
    list_scores,
    list_ties,
    open_set_report,
    verification_report,
)
from hplreid.evaluation.files import write_scores
from hplreid.utils.atomic_files import write_json
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors
from hplreid.visualization import draw_verification


@dataclass(frozen=True)
class Protocol:
    """How features are compared: what the user asked for, else what the file says."""

    distance: str
    same_camera: str

    @classmethod
    def choose(cls, args: argparse.Namespace, feats: FeatureSet) -> 'Protocol':
        """Choose for a file.

        Raises:
            ArrayFileError: Same cameras shall be dropped, but they aren't known.
        """
        default = 'drop' if feats.has_cameras() else 'keep'
        same_camera = args.same_camera or feats.same_camera or default
        if same_camera == 'drop' and not feats.has_cameras():
            raise ArrayFileError(
                "The camera rule 'drop' needs query_camids and gallery_camids, none of "
                'them -1; --same-camera keep does without.'
            )
        return cls(args.distance or feats.distance or 'cosine', same_camera)

    def arguments(self, feats: FeatureSet) -> tuple[np.ndarray | None, ...]:
        """Return what every function of the evaluation starts with."""
        drop = self.same_camera == 'drop'
        return (
            feats.query_feats,
            feats.gallery_feats,
            feats.query_pids,
            feats.gallery_pids,
            feats.query_camids if drop else None,
            feats.gallery_camids if drop else None,
        )


def rank(
    feats: FeatureSet, protocol: Protocol, topk: list[int], ties: str
) -> tuple[dict[str, float], PerQueryScores]:
    """Return the scores of the ranking, all together and query by query."""
    ranking = evaluate_ranking(
        *protocol.arguments(feats), distance=protocol.distance, topk=topk, ties=ties
    )
    settings = {
        'distance': protocol.distance,
        'normalized': 'yes' if protocol.distance == 'cosine' else 'no',
        'same camera': protocol.same_camera,
        're-ranking': 'none',
        'queries': str(ranking.num_valid_queries),
        'skipped': str(ranking.num_skipped_queries),
        'gallery': str(ranking.num_gallery),
        **list_ties(ranking),
    }
    names = feats.query_names
    if names is None:  # told apart by their place alone
        names = np.array([f'query {i}' for i in range(len(feats.query_pids))])
    per_query = PerQueryScores(
        ranking.ap,
        ranking.inp,
        ranking.first_hit,
        feats.query_pids,
        names,
        settings,
        ranking.first_tie if ties == 'expected' else None,
    )
    return list_scores(ranking, topk, 'i2i'), per_query


def trace(path: Path, feats: FeatureSet, protocol: Protocol) -> dict[str, Any]:
    """Return where the scores of a file come from: the file, and what it says itself.

    What a test has written is traced back to its checkpoint and data.
    """
    return {
        **feats.provenance,
        'features': dict(path=str(path.resolve()), sha256=hash_file(path)),
        'protocol': vars(protocol),
        **describe_code(),
    }


def verify(
    feats: FeatureSet, protocol: Protocol, name: str, out: Path | None
) -> VerificationReport:
    """Print thresholds for one pair, and draw them if asked to."""
    report = verification_report(*protocol.arguments(feats), distance=protocol.distance)
    table = PrettyTable(
        ['FAR at most', 'FAR', 'TAR, %', 'threshold'],
        title=f'{name}: {report.num_genuine:,} genuine and {report.num_impostor:,} '
        f'impostor pairs | AUC {report.auc:.2f} % | EER {report.eer:.2f} % at '
        f'{report.eer_threshold:.4f}',
    )
    for far, actual, tar, threshold in zip(
        report.fars, report.actual_fars, report.tars, report.thresholds, strict=True
    ):
        table.add_row([f'{far:g}', f'{actual:.2e}', f'{tar:.2f}', f'{threshold:.4f}'])
    print(table)
    if out:
        draw_verification(report, out / f'{name}_verification.png', name)
    return report


def search_open_set(
    feats: FeatureSet, protocol: Protocol, name: str, absent: float, seed: int
) -> OpenSetReport:
    """Print the errors of a search for people who may be absent."""
    report = open_set_report(
        *protocol.arguments(feats),
        distance=protocol.distance,
        absent=absent,
        seed=seed,
    )
    table = PrettyTable(
        ['FPIR at most', 'FPIR', 'FNIR, %', 'threshold'],
        title=f'{name}: {report.num_mated} mated and {report.num_nonmated} non-mated '
        f'searches | identities taken out: {absent:g}, seed {seed}',
    )
    for fpir, actual, fnir, threshold in zip(
        report.fpirs, report.actual_fpirs, report.fnirs, report.thresholds, strict=True
    ):
        table.add_row([f'{fpir:g}', f'{actual:.2e}', f'{fnir:.2f}', f'{threshold:.4f}'])
    print(table)
    return report


def print_intervals(per_query: PerQueryScores, args: argparse.Namespace) -> None:
    """Print the interval of each score of the ranking."""
    table = PrettyTable(
        ['score', 'mean', '95 % interval'], title='identities drawn anew'
    )
    for name, values in per_query.scores(args.topk).items():
        found = bootstrap_mean(values, per_query.pids, seed=args.seed)
        interval = f'{found.low:.2f} to {found.high:.2f}'
        table.add_row([name, f'{found.mean:.2f}', interval])
    print(table)


def evaluate(
    path: Path, args: argparse.Namespace
) -> tuple[dict[str, float], dict[str, Any]]:
    """Print all that is asked for of one file, write what belongs to it.

    Returns:
        Its scores, in percent, and where they come from.
    """
    feats = FeatureSet.load(path)
    protocol = Protocol.choose(args, feats)
    scores, per_query = rank(feats, protocol, args.topk, args.ties)
    title = f'features: {path.name} | {feats.query_feats.shape[1]} numbers each'
    print(format_table({path.stem: {**scores, **per_query.settings}}, title))
    reports: dict[str, VerificationReport | OpenSetReport] = {}
    if args.verification:
        reports['verification'] = verify(feats, protocol, path.stem, args.out)
    if args.open_set is not None:
        reports['open set'] = search_open_set(
            feats, protocol, path.stem, args.open_set, args.seed
        )
    for report in reports.values():
        scores.update(report.scores())
    if args.bootstrap:
        print_intervals(per_query, args)
    provenance = trace(path, feats, protocol)
    if args.out:
        saved = replace(per_query, provenance=provenance)
        saved.save(args.out / 'per_query' / f'{path.stem}.npz')
        if reports:
            thresholds = {k: report.operating_points() for k, report in reports.items()}
            write_json(args.out / f'{path.stem}_thresholds.json', thresholds)
    return {f'{path.stem}/{name}': s for name, s in scores.items()}, provenance


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    metrics: dict[str, float] = {}
    provenance: dict[str, Any] = {}
    if args.out:
        check_new_file(args.out / 'metrics.json', '--out', args.overwrite)
    names = [path.stem for path in args.files]
    if len(set(names)) < len(names):
        raise ArrayFileError(
            f'Files are told apart by their names, and these are {", ".join(names)}: '
            'rename those of the same name.'
        )
    for path in args.files:
        with as_user_errors(ValueError, OSError, where=str(path)):
            scores, provenance[path.stem] = evaluate(path, args)
            metrics.update(scores)
    if args.out:
        write_scores(args.out / 'metrics.json', metrics, provenance)


if __name__ == '__main__':
    run_tool(main, ARGS)
