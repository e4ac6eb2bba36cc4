"""``pointmask export``: weights in, an ONNX file for other runtimes out."""

from pathlib import Path

import click

from pointmask.errors import OutputError


@click.command(short_help="A detector as ONNX.")
@click.argument("weights", type=click.Path(exists=True, path_type=Path), metavar="RUN|WEIGHTS")
@click.option(
    "--onnx", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(weights: Path, path: Path, overwrite: bool) -> None:
    """Write a detector as one ONNX file, checked against torch.

    Input "images": float32 (N, 1, H, W), grey values as stored in the images; normalisation is in the graph.
    Outputs "probabilities" and "logits": float32 (N, 1, H, W). N, H and W are dynamic.
    """
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists; choose another file, or replace it with --overwrite")

    from pointmask_trainer.inference.export import check, export_onnx
    from pointmask_trainer.run.checkpoint import load_model

    model, card = load_model(weights)
    export_onnx(model, card, path)
    parity = check(path, model, card.normalisation)
    if parity is None:
        click.echo(
            "Not checked against torch, as onnxruntime is missing: pip install 'pointmask[export]'", err=True
        )
    else:
        sizes = ", ".join(f"{shape[0]} x {shape[3]} x {shape[2]}" for shape in parity.shapes)
        click.echo(f"Checked: probabilities differ from torch by {parity.difference:.1g} ({sizes})")
    click.echo(f"ONNX:    {path}")
