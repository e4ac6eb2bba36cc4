"""``pointmask export``: weights in, an ONNX file for other runtimes out."""

from pathlib import Path

import click

from pointmask.advice import command, install, shortest, unused
from pointmask.cli import advise, say
from pointmask_trainer.cli.options import weights_argument
from pointmask_trainer.cli.places import check_weights

_TAIL = 1 << 20  # bytes; metadata follow the graph, and hold facts of a run


@click.command(short_help="A detector as ONNX.")
@weights_argument
@click.option(
    "--onnx", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(weights: Path, path: Path, overwrite: bool) -> None:
    """Write a detector as one ONNX file, checked against torch.

    Input "images": float32 (N, 1, H, W), grey values as stored in the images; normalisation is in the graph.
    Outputs "probabilities" and "logits": float32 (N, 1, H, W). N, H and W are dynamic. A network that finds
    points has "heat" (N, 1, rows, cols), "offset" (N, 2, rows, cols), in cells, and "threshold" (N).
    """
    from pointmask.io.own import check_file
    from pointmask.places import data_of_run

    check_file(path, [weights], is_our_onnx, overwrite=overwrite)
    from pointmask_trainer.inference.export import check, export_onnx, outputs_of
    from pointmask_trainer.run.checkpoint import load_model

    check_weights(weights)
    model, card = load_model(weights)
    export_onnx(model, card, path)
    parity = check(path, model, card.normalisation)
    if parity is None:
        say(f"Not checked against torch, as onnxruntime is missing: {install('export')}", err=True)
    else:
        first = outputs_of(model)[0]
        what = f"{first} differ" if first.endswith("s") else f"{first} differs"
        sizes = ", ".join(f"{shape[0]} x {shape[3]} x {shape[2]}" for shape in parity.shapes)
        say(f"Checked: {what} from torch by {parity.difference:.1g} ({sizes})")
    say(f"ONNX:    {path}")
    data = data_of_run(weights)
    if data is None:
        advise(command("predict", weights, "IMAGES", "--out", unused("detections")))
    else:
        advise(command("evaluate", weights, shortest(data), "--out", unused("evaluation")))


def is_our_onnx(path: Path) -> bool:
    """Say whether a file ends in the metadata that `pointmask_trainer.inference.export` writes."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return b"pointmask.model" in file.read()
