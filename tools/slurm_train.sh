#!/usr/bin/env bash
# Train on a Slurm cluster, and go on after a preemption or a time limit.
#   GPUS=8 bash tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [flags]
#   sbatch [options] tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [flags]
# A run that gets SIGTERM, SIGINT or SIGUSR1 (SRUN_ARGS=--signal=USR1@120 asks for it
# 120 s before the time limit) saves a checkpoint and exits with 75. It is then queued
# again with --resume: a batch job by scontrol, else by another srun. REQUEUE=0 doesn't;
# Ctrl-C stops for good. Other failures are never tried again.
set -euo pipefail

PARTITION=$1
JOB_NAME=$2
CONFIG=$3
WORK_DIR=$4
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 8 ? GPUS : 8))}
CPUS_PER_TASK=${CPUS_PER_TASK:-5}
REQUEUE=${REQUEUE:-1}
# Slurm runs a copy of a batch script, so that its own folder isn't tools/
ROOT=${HPLREID_ROOT:-$(cd "$(dirname "$0")/.." && pwd)}
[ -f "$ROOT/tools/train.py" ] || ROOT=${SLURM_SUBMIT_DIR:-$PWD}

RESUME=()
[ "${SLURM_RESTART_COUNT:-0}" -eq 0 ] || RESUME=(--resume)
trap 'REQUEUE=0' INT
trap : TERM USR1  # wait for srun, which hands them on

while :; do
    CODE=0
    # SRUN_ARGS is split into words on purpose
    # shellcheck disable=SC2086
    PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" \
    srun -p "$PARTITION" \
        --job-name="$JOB_NAME" \
        --gres=gpu:"$GPUS_PER_NODE" \
        --ntasks="$GPUS" \
        --ntasks-per-node="$GPUS_PER_NODE" \
        --cpus-per-task="$CPUS_PER_TASK" \
        --kill-on-bad-exit=1 \
        ${SRUN_ARGS:-} \
        python -u "$ROOT/tools/train.py" "$CONFIG" --work-dir "$WORK_DIR" \
        --launcher slurm "${@:5}" ${RESUME[@]+"${RESUME[@]}"} || CODE=$?
    [ "$CODE" -eq 75 ] && [ "$REQUEUE" -eq 1 ] || exit "$CODE"
    if [ -n "${SLURM_JOB_ID:-}" ]; then
        exec scontrol requeue "$SLURM_JOB_ID"
    fi
    echo "$JOB_NAME was interrupted: queuing it again, with --resume"
    RESUME=(--resume)
done
