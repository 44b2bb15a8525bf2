"""Export a trained model to ONNX, compare it with PyTorch's, and score both.

    python tools/deployment/export_onnx.py MODEL OUT [--int8] [--score]

MODEL is a checkpoint or published file, or a config or name with --weights. OUT becomes
a folder with image.onnx and, of a model with a text tower, text.onnx: any batch size,
normalization inside, config and preprocessing in the metadata. Features are compared
with PyTorch's before anything is written. The folder is a model for
``hplreid.ReIDInferencer`` and the tools that take one.

--int8 writes OUT-int8 as well, with matrix products in 8 bits; --score compares the
retrieval scores of all, on the benchmarks of the model's config.
"""

import argparse
from pathlib import Path


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('model', help='checkpoint, published file, config or name')
    parser.add_argument('out', type=Path, help='folder of the graphs')
    parser.add_argument('--weights', help='file of the weights of a config or name')
    parser.add_argument(
        '--int8', action='store_true', help='write OUT-int8 with weights of 8 bits too'
    )
    parser.add_argument(
        '--score',
        action='store_true',
        help="score all of them on the benchmarks of the model's config",
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of every error'
    )
    return parser.parse_args()


if __name__ == '__main__':
    ARGS = parse_args()  # before the imports below, which take seconds

from prettytable import PrettyTable

from hplreid.apis.benchmark_scores import score_benchmarks
from hplreid.apis.deployment import export_onnx, quantize_onnx
from hplreid.apis.inferencer import ReIDInferencer
from hplreid.apis.trained_model import load_trained_model
from hplreid.utils.run_tool import run_tool
from hplreid.utils.user_error import as_user_errors


def main(args: argparse.Namespace) -> None:
    """Run the tool."""
    with as_user_errors(FileNotFoundError):
        trained = load_trained_model(args.model, args.weights)
    for line in export_onnx(trained, args.out):
        print(line, flush=True)
    models = {'PyTorch, fp32': (args.model, args.weights), 'ONNX, fp32': (args.out,)}
    if args.int8:
        small = args.out.with_name(f'{args.out.name}-int8')
        for line in quantize_onnx(args.out, small):
            print(line, flush=True)
        models['ONNX, int8'] = (small,)
    if args.score:
        table = PrettyTable(['model', 'benchmark', 'mAP', 'R1'])
        table.align['model'] = table.align['benchmark'] = 'l'
        for name, given in models.items():
            inferencer = ReIDInferencer(*given, device='cpu', precision='fp32')
            with as_user_errors(FileNotFoundError):
                scores = score_benchmarks(inferencer, trained.config)
            for benchmark, score in scores.items():
                values = (f'{score[key]:.2f}' for key in ('mAP', 'R1'))
                table.add_row([name, benchmark, *values])
        print(table)


if __name__ == '__main__':
    run_tool(main, ARGS)
