#!/bin/sh
# All that needs a GPU, in slices of some minutes: run it again until the tables of trainings are full.
#   POINTMASK_SIRST3=... sh benchmarks/gpu.sh [MINUTES]
# Runs lie in build/cells: keep them from one slice to the next.
end=$(($(date +%s) + 60 * ${1:-8}))
results=benchmarks/results
failed=0

# Rows of the table of trainings, for the minutes that are left.
train() {
    left=$(((end - $(date +%s)) / 60))
    [ "$left" -ge 1 ] || return 0
    python benchmarks/strategy_table.py --name gpu --preset paper --data-sets SIRST3 --seeds 0 --minutes "$left" "$@" \
        --keep-weights --set epochs=400 run.precision=bf16 run.validate_every=10 || failed=1
}

[ -e $results/torch_operator-cuda.json ] ||
    python benchmarks/torch_operator.py --device cuda --half-size 16 || failed=1
[ -e $results/loader-cuda.json ] ||
    python benchmarks/loader.py --device cuda --batch 16 --images 1024 --steps 64 --set run.precision=bf16 || failed=1
train --detectors alclnet --rows full masks d2d
train --detectors dnanet --rows full masks d2d
train --detectors alclnet --rows alpha30
exit $failed
