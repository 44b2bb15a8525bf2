"""slurm_train.sh queues an interrupted run again, with --resume, and no other one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == 'win32', reason='a shell script')


def submit(tmp_path, codes, **environment):
    """Run the script with an ``srun`` that exits with these codes, one after another.

    Returns:
        Its exit code, and the commands that it has called.
    """
    (tmp_path / 'codes').write_text('\n'.join(map(str, codes)) + '\n')
    log = '#!/bin/sh\necho "$(basename $0) $*" >> calls\n'
    srun = log + 'code=$(head -n 1 codes); sed -i 1d codes; exit $code\n'
    for name, text in (('srun', srun), ('scontrol', log)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ['bash', ROOT / 'tools/slurm_train.sh', 'gpu', 'job', 'a.py', 'run', '--amp'],
        cwd=tmp_path,
        env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', **environment},
        timeout=30,
        check=False,
    )
    return done.returncode, (tmp_path / 'calls').read_text().splitlines()


def test_an_interrupted_run_is_queued_again_until_it_is_done(tmp_path):
    code, calls = submit(tmp_path, [75, 75, 0])
    assert code == 0
    assert [call.split()[0] for call in calls] == ['srun'] * 3
    assert [call.endswith('--amp --resume') for call in calls] == [False, True, True]


@pytest.mark.parametrize('code', [0, 1, 2, 137])
def test_other_codes_are_returned(tmp_path, code):
    assert submit(tmp_path, [code])[0] == code


def test_it_can_be_turned_off(tmp_path):
    assert submit(tmp_path, [75], REQUEUE='0')[0] == 75


def test_a_batch_job_is_queued_again_by_slurm(tmp_path):
    code, calls = submit(tmp_path, [75], SLURM_JOB_ID='12')
    assert (code, calls[-1]) == (0, 'scontrol requeue 12')
    code, calls = submit(tmp_path, [0], SLURM_JOB_ID='12', SLURM_RESTART_COUNT='1')
    assert calls[-1].endswith('--resume')
