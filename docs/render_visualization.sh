#!/usr/bin/env bash
# Draw the figures of docs/visualization.md again, from the default run and its baseline.
#
#     bash docs/render_visualization.sh
#
# From the root of the repository. Runs, tests and a sweep that are missing are made
# first (minutes each on a CPU). WORK is where they are.
set -euo pipefail
WORK=${WORK:-work_dirs}
OUT=docs/assets/visualization
LAMBDA=model.heads.align.5.loss_weight

for name in hpl_tiny_synthpeds hpl_tiny_synthpeds_base; do
    run=$WORK/$name
    [ -f "$run/metrics.json" ] || python tools/train.py "configs/hpl/$name.py" --work-dir "$run"
    [ -d "$run/test/features" ] || python tools/test.py "configs/hpl/$name.py" \
        "$run/final.safetensors" --work-dir "$run" --tag features --dump-features
done
HPL=$WORK/hpl_tiny_synthpeds BASE=$WORK/hpl_tiny_synthpeds_base
I2I=test/features/features/synthpeds_i2i.npz T2I=test/features/features/synthpeds_t2i.npz

python tools/visualization/plot_schedule.py configs/hpl/hpl_tiny_synthpeds.py \
    --out $OUT/schedule.png
python tools/visualization/plot_curves.py "$HPL" "$BASE" --names HPL baseline \
    --keys loss loss_sdm loss_id grad_norm --out $OUT/curves.png
[ -f "$WORK/norms/metrics.json" ] || python tools/train.py configs/hpl/hpl_tiny_synthpeds.py \
    --work-dir "$WORK/norms" --cfg-options default_hooks.norms.type=WeightNormHook \
    default_hooks.norms.interval=10
python tools/visualization/plot_curves.py "$WORK/norms" --names HPL --keys grad_norm \
    weight_norm/heads weight_norm/image_encoder weight_norm/text_encoder \
    update_ratio/heads update_ratio/image_encoder update_ratio/text_encoder --out $OUT/norms.png
python tools/visualization/plot_curves.py "$HPL" --shares --out $OUT/shares.png
python tools/dataset_tools/describe_synthpeds.py data/synthpeds --out "$WORK/groups.csv" --overwrite
for task in I2I T2I; do
    python tools/visualization/compare_lists.py "$BASE/${!task}" "$HPL/${!task}" \
        --names baseline HPL --num 2 --topk 8 --out "$OUT/lists_${task,,}.png"
    python tools/visualization/report_failures.py "$HPL/${!task}" --name HPL \
        --num 3 --topk 8 --overwrite --groups "$WORK/groups.csv" --out "$OUT/failures_${task,,}"
    python tools/visualization/plot_score_curves.py "$BASE/${!task}" "$HPL/${!task}" \
        --names baseline HPL --out "$OUT/score_curves_${task,,}.png"
done
python tools/visualization/plot_embedding.py "$HPL/$T2I" --out $OUT/map.png
python tools/visualization/plot_embedding.py "$HPL/$T2I" --method pca \
    --color modality --num-ids 0 --out $OUT/map_modality.png
python tools/analysis_tools/sweep.py configs/hpl/hpl_tiny_synthpeds.py \
    $LAMBDA=1,4,16 --work-dir "$WORK/sweep"
cp "$WORK/sweep/sweep.png" $OUT/sweep.png

# Images of a page needn't have more colors than can be told apart
python - $OUT <<'PYTHON'
import sys
from pathlib import Path

from PIL import Image

for path in Path(sys.argv[1]).rglob('*.png'):
    with Image.open(path) as image:
        small = image.convert('RGB').quantize(256)
    small.save(path, optimize=True)
PYTHON
