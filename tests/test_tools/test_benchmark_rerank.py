"""The benchmark of re-ranking as a program, and the dense algorithm it holds up."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.test_evaluation.dense_rerank import dense_rerank, squared_distances

from .programs import ROOT, run_tool

TOOL = ROOT / 'tools' / 'analysis_tools' / 'benchmark_rerank.py'

pytestmark = pytest.mark.skipif(
    not Path('/proc/self/status').exists(), reason='memory is read from /proc'
)


def load_tool(monkeypatch):
    spec = importlib.util.spec_from_file_location('benchmark_rerank', TOOL)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'benchmark_rerank', module)  # for dataclasses
    spec.loader.exec_module(module)
    return module


def test_its_dense_algorithm_is_the_definition(monkeypatch):
    tool = load_tool(monkeypatch)
    data = tool.Data.make(150, length=32)
    expected = dense_rerank(
        squared_distances(data.feats.astype(float)), data.num_queries, 12, 4, 0.3
    )
    result = tool.dense_rerank(data, 12, 4)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


def test_program():
    arguments = '--sizes 300 400 --constants 20/6 --dense-to 300 --fused-from 400'
    rows, _ = run_tool('benchmark_rerank.py', *arguments.split())
    assert [row[:3] for row in rows[1:]] == [
        ['300', '20/6', 'distances'],
        ['400', '20/6', 'scores'],
    ]
    assert float(rows[1][-1]) < 1e-5
    assert rows[2][-1] == '-'
