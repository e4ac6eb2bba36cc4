"""The page of the table of trainings: the paper's figures beside ours."""


def entry(row, seed, iou, detector="alclnet", data_set="SIRST3", images=1652):
    scores = {"val_truth": {"iou": iou, "niou": 0.5, "pd": 0.9, "fa": 2e-5}, "epoch": 7}
    operator = {"operator": {"iou": 0.75, "niou": 0.7, "pd": 0.95, "fa": 1e-5}} if row == "d2d" else {}
    return {
        "detector": detector, "row": row, "data_set": data_set, "seed": seed, "chosen": scores | operator,
        "last": scores, "best_on_true_masks": scores, "images": {"train": images},
        "minutes": 5.0, "peak_mib": 300,
        "val_by_data_set": {"NUDT-SIRST": {"iou": iou + 0.1}} if data_set == "SIRST3" else None,
        "labels": {"first": {"train": 0.7}, "last": {"train": 0.725}} if row == "d2d" else None,
    }  # fmt: skip


def test_the_page_shows_the_paper_beside_ours_and_apart_what_was_not_run(part):
    page = part("cells.cell_tables").page
    empty = {"settings": {}, "cells": []}
    text = page(empty)
    assert "| SIRST3 | alclnet | D2D | 73.28 | 73.30 | 95.44 |" in text
    assert "| SIRST3 | dnanet | MCLC | 67.07 | 69.29 | 94.22 | 33.03 |" in text
    assert "| seeds |" not in text  # nothing of ours
    assert text.count("\n## ") == 2  # only printed, and elsewhere
    assert "**best on that test list**" in text
    cells = [entry("masks", 0, 0.6), entry("masks", 1, 0.5), entry("masks", 5, 0.9), entry("alpha30", 0, 0.4)]
    cells += [entry("d2d", 0, 0.61), entry("d2d", 1, 0.53)]
    text = page(empty | {"cells": cells})
    figures = "57.0 ± 5.7 | 50.0 ± 0.0 | 90.0 ± 0.0 | 20.0 ± 0.0"
    figures += " | 75.0 ± 0.0 | 70.0 ± 0.0 | 95.0 ± 0.0 | 10.0 ± 0.0"
    assert (
        f"| D2D | 2 | {figures} | +2.0 ± 1.0 | 57.0 ± 5.7 "
        "| 57.0 ± 5.7 | 70.0 to 72.5 | 5.0 | 73.28 | 73.30 | 95.44 |"
    ) in text
    assert "| SIRST3 | alclnet | B4 beta 0 | 67.74 | 68.60 | 92.23 |" in text
    assert "| SIRST3 | alclnet | D2D |" not in text  # measured now
    assert "| 30 % by weight | 1652 | 1 | 40.0 | 50.0 | 90.0 | 20.0 | -20.0 | 70.07 |" in text
    assert "random" not in text  # not measured, and printed nowhere
    assert "| alclnet | D2D | 2 | 74.34 | 67.0 ± 5.7 | 79.94 | 63.96 |" in text
    assert f"| alclnet | D2D | 2 | {figures} | 57.0 ± 5.7 | 70.0 to 72.5 | 5.0 | 300.0 | 73.28 |" in text


def test_no_table_has_a_row_without_figures(part):
    page = part("cells.cell_tables").page
    text = page(
        {"settings": {}, "cells": [entry("masks", 0, 0.6), entry("d2d", 0, 0.61, detector="acm_unet")]}
    )
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) > 10
    assert all(sum(cell.strip() != "" for cell in row.split("|")) > 3 for row in rows)
