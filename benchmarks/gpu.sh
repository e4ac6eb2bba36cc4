#!/bin/sh
# All that needs a GPU, in slices of some minutes: run it again until the table of trainings is full.
#   POINTMASK_SIRST3=... sh benchmarks/gpu.sh LABELS [MINUTES]
# LABELS is what `pointmask annotate` wrote for all images of SIRST3 (centroid points).
set -e
labels=$1 minutes=${2:-8}
if [ ! -e benchmarks/results/torch_operator-cuda.json ]; then
    python benchmarks/torch_operator.py --device cuda --half-size 16
    python benchmarks/loader.py --device cuda --batch 16 --images 1024 --steps 64 --set run.precision=bf16
fi
python benchmarks/training.py --name gpu --preset paper --strategies full masks --seeds 0 --masks "$labels" \
    --minutes "$minutes" --set run.precision=bf16 run.validate_every=10
