"""Train cells of detector x strategy x data set x seed, and tabulate them with published figures.

    # on two cores: the ablation on SIRST-v1; a second process with the same arguments shares the work
    POINTMASK_SIRST3=... python benchmarks/strategy_table.py --data-sets SIRST-v1
    # on a GPU, in slices: run it again until every cell is done
    POINTMASK_SIRST3=... python benchmarks/strategy_table.py --name gpu --preset paper --rows full masks d2d \
        --seeds 0 --minutes 8 --set run.precision=bf16 run.validate_every=10

A run lies in ``<runs>/<name>/<detector>-<row>-<data set>-<seed>`` and resumes where it stopped. A cell enters
``strategy_table-<name>.json`` and ``.md`` when its last epoch is done; cells from other machines remain and
are not trained again. POINTMASK_SIRST3 names a folder with images/, masks/, points_centroid.csv and splits/.

Rows: full; point (A1); masks (A4: static labels by the annotator); mclc, montecarlo and pgc2f (static masks
of other annotators, made once, in <runs>/<name>/masks); lesps and pal, from points or from our masks
(lesps_annotator, pal_annotator); pal_released (the released loss); gsacp, and gsacp_base, gsacp_ema,
gsacp_hbc and gsacp_asg (without its parts, or with one); d2d, a2, a3, a4_val, b1 to b4, published (weights
by the published code's signal); alpha30, random30 and difficulty30 train on static labels of 30 % of the
images, chosen from the finished run of row d2d. ``--rows strategies`` stands for those that compare
strategies.
"""

import argparse
import os
import sys
from pathlib import Path

from cells.cell_results import cell_of, check_settings, entry_of, merge, read_results
from cells.cells import CellError, Clock, Grid, fill
from cells.rows import ALIASES, COMPARED, DATA_SETS, ROWS, Cell
from cells.weights import keep
from support.results import FOLDER

from pointmask_trainer.config import load_config


def main() -> int:
    """Train missing cells and write the results after each; return 1 if a cell failed."""
    options = read_options()
    grid = Grid(
        root=Path(os.environ["POINTMASK_SIRST3"]),
        runs=options.runs / options.name,
        preset=options.preset,
        settings=tuple(options.set),
        threads=options.threads if options.threads is not None else default_threads(),
        unseen=options.unseen,
    )
    path = options.results / f"strategy_table-{options.name}.json"
    detectors = options.detectors or [load_config(preset=options.preset).model.name]
    requested = requested_cells(options, detectors)
    failed, cells = to_do(requested, grid, path)

    def finished(cell: Cell) -> None:
        entry = entry_of(path, cell) or merge(path, grid, cell)
        if options.keep_weights and not (options.weights / f"{cell.name}.safetensors").exists():
            print(f"written: {keep(grid, cell, entry, options.weights)}")
        print(f"{cell.name}: done, in {path}", flush=True)

    # Finished cells may lack only their weights.
    done = [
        cell for cell in requested if cell not in cells and options.keep_weights and grid.is_finished(cell)
    ]
    trouble, pending = fill(grid, [*done, *cells], Clock(options.minutes), finished)
    for line in pending:
        print(f"open: {line}")
    for line in [*failed, *trouble]:
        print(f"failed: {line}", file=sys.stderr)
    return 1 if failed or trouble else 0


def read_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    rows = [*ROWS, *ALIASES, "strategies"]
    parser.add_argument("--name", default="cpu", help="of the results and of the folder of runs")
    parser.add_argument("--preset", default="cpu", help="cpu, cpu-alcnet or paper")
    parser.add_argument("--detectors", nargs="+", metavar="NAME", help="the preset's by default")
    parser.add_argument("--rows", nargs="+", choices=rows, metavar="ROW", default=list(ROWS))
    parser.add_argument("--data-sets", nargs="+", choices=DATA_SETS, default=["SIRST3"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="A.B=V", help="settings of all cells")
    parser.add_argument(
        "--unseen",
        action="store_true",
        help="keep the val list out of trainings, and score it at the end",
    )
    parser.add_argument("--runs", type=Path, default=Path("build/cells"))
    parser.add_argument("--results", type=Path, default=FOLDER)
    parser.add_argument("--minutes", type=float, default=0, help="stop after an epoch when these have passed")
    parser.add_argument(
        "--keep-weights", action="store_true", help="bfloat16, with a card each, in the folder --weights"
    )
    parser.add_argument("--weights", type=Path, default=Path(__file__).parent / "weights")
    parser.add_argument("--threads", type=int, help="of torch; 1 on a processor by default")
    return parser.parse_args()


def requested_cells(options: argparse.Namespace, detectors: list[str]) -> list[Cell]:
    """List the requested cells without repetition, all rows of one seed before the next seed."""
    named = [own for row in options.rows for own in (COMPARED if row == "strategies" else (row,))]
    rows = dict.fromkeys(ALIASES.get(row, row) for row in named)
    return [
        Cell(detector, row, data_set, seed)
        for seed in dict.fromkeys(options.seeds)
        for data_set in dict.fromkeys(options.data_sets)
        for detector in dict.fromkeys(detectors)
        for row in rows
    ]


def to_do(cells: list[Cell], grid: Grid, path: Path) -> tuple[list[str], list[Cell]]:
    """Split cells into messages about those that cannot be trained, and those without results yet."""
    content = read_results(path)
    known = {cell_of(entry) for entry in content["cells"]}
    failed, pending = [], []
    for cell in cells:
        try:
            check_settings(content, grid, cell, path)
        except CellError as error:
            failed.append(f"{cell.name}: {error}")
            continue
        if cell not in known:
            pending.append(cell)
    return failed, pending


def default_threads() -> int:
    """Return one on a CPU, so that two processes share two cores well."""
    import torch

    return 0 if torch.cuda.is_available() else 1


if __name__ == "__main__":
    sys.exit(main())
