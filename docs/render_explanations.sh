#!/usr/bin/env bash
# Draw the figures of docs/visualization_explain.md again, and print its tables.
#
#     bash docs/render_explanations.sh
#
# From the root of the repository. Runs that are missing are made first (minutes each on
# a CPU). WORK is where they are.
set -euo pipefail
WORK=${WORK:-work_dirs}
OUT=docs/assets/explain

for name in hpl clip_reid promptsg bot; do
    tiny=${name/clip_reid/clip-reid}_tiny_synthpeds
    [ -f "$WORK/$tiny/final.safetensors" ] ||
        python tools/train.py "configs/$name/$tiny.py" --work-dir "$WORK/$tiny"
done
HPL=(configs/hpl/hpl_tiny_synthpeds.py "$WORK/hpl_tiny_synthpeds/final.safetensors")
I2I=data/synthpeds/Market-1501-v15.09.15/query T2I=data/synthpeds/CUHK-PEDES/imgs/test_query
explain() { python tools/visualization/explain.py "$@"; }

explain "${HPL[@]}" --num 3 --out $OUT/tokens.png $OUT/tokens.pdf
explain "${HPL[@]}" --query $I2I/0003_c2s2_000044_01.jpg $I2I/0011_c3s5_000237_00.jpg \
    --match $I2I/0003_c5s6_000065_00.jpg $I2I/0011_c6s5_000211_01.jpg --token v u \
    --out $OUT/pairs.png $OUT/pairs.pdf
explain "${HPL[@]}" --query $T2I/p1641_s502.jpg --caption \
    'A lady with a red crossbody bag is wearing a light grey and black vertically striped dress. She is walking.' \
    --words 'red crossbody bag' 'light grey' 'vertically striped' dress walking \
    --out $OUT/caption.png $OUT/caption.pdf
for name in clip_reid promptsg bot; do
    tiny=${name/clip_reid/clip-reid}_tiny_synthpeds
    explain "configs/$name/$tiny.py" "$WORK/$tiny/final.safetensors" \
        --query $I2I/0003_c2s2_000044_01.jpg --match $I2I/0003_c5s6_000065_00.jpg \
        --out "$OUT/pair_$name.png" "$OUT/pair_$name.pdf"
done
for name in hpl clip_reid promptsg; do
    tiny=${name/clip_reid/clip-reid}_tiny_synthpeds
    python tools/analysis_tools/check_explanations.py "configs/$name/$tiny.py" \
        "$WORK/$tiny/final.safetensors" --num 400 --out "$WORK/explanations_$name"
done
cp "$WORK/explanations_hpl/synthpeds_t2i.png" $OUT/faithfulness.png
python tools/analysis_tools/benchmark_explanations.py configs/hpl/hpl_tiny_synthpeds.py \
    configs/clip_reid/clip-reid_tiny_synthpeds.py configs/promptsg/promptsg_tiny_synthpeds.py \
    configs/bot/bot_tiny_synthpeds.py configs/hpl/hpl_vitb16_joint.py

# Images of a page needn't have more colors than can be told apart; vectors aren't shown
python - $OUT <<'PYTHON'
import sys
from pathlib import Path

from PIL import Image

for path in Path(sys.argv[1]).rglob('*.png'):
    with Image.open(path) as image:
        small = image.convert('RGB').quantize(256)
    small.save(path, optimize=True)
for path in Path(sys.argv[1]).rglob('*.pdf'):
    path.unlink()
PYTHON
