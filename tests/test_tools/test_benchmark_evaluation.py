"""The benchmark of ranking as a program, on tiny sizes."""

from .programs import run_tool


def test_it_compares_with_a_product_and_a_sort():
    sizes = ['--sizes', 'tiny', 'tiny-file']
    rows, printed = run_tool(
        'benchmark_evaluation.py', *sizes, '--rounds', '1', '--sorted-queries', '40'
    )
    # A file's gallery is too large to sort
    assert [row[0].split()[0] for row in rows if row[0]] == [
        'product',
        'ours',
        'sort',
        'product',
        'ours',
    ]
    (line,) = (x for x in printed.splitlines() if 'differs by' in x)
    assert line.startswith('AP of 40 queries')
    assert float(line.split('differs by ')[1].split()[0]) < 1e-6
