"""docs/performance.md names what the programs have, with their bounds."""

import re
from pathlib import Path

from hplreid.engine.loops.stage import find_stage_problems
from hplreid.engine.measurement import gpu_checks

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs' / 'performance.md').read_text('utf-8')


def test_every_check_of_a_gpu_is_described_with_its_bound():
    section = PAGE.split('## One visit to a GPU')[1]
    assert re.findall(r'^\| (\w+) \|', section, re.MULTILINE)[1:] == [
        *gpu_checks.CHECKS
    ]
    relative, absolute = gpu_checks.BF16_BOUND
    assert f'{relative * 100:g} % + {absolute:g}' in section
    relative, absolute = gpu_checks.FP32_BOUND
    assert f'{relative * 100:g} % + {absolute:.4f}' in section
    assert f'under {gpu_checks.MEMORY_BOUND // 2**30} GiB' in section
    assert f'the goal is {gpu_checks.GOAL * 100:g} %' in section


def test_programs_and_options_are_there():
    for program in re.findall(r'python (tools/\S+\.py)', PAGE):
        assert (ROOT / program).is_file()
    stage = dict(epochs=1, trainable=['image_encoder'], micro_batch_size=16)
    assert 'train_cfg.stages.align.micro_batch_size=16' in PAGE
    assert find_stage_problems('align', stage) == []
