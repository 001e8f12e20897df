"""``genailab run``: a pipeline on the user's own data."""

from __future__ import annotations

import json as json_text
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from genailab.pipelines.single_cell_config import SingleCellConfig

__all__ = ["run_and_report", "run_app"]

run_app = typer.Typer(help="Run a pipeline on your own data.", no_args_is_help=True, rich_markup_mode=None)


@run_app.callback()
def pipelines() -> None:
    """Hold the pipelines; without this a single command would lose its name."""


@run_app.command("single-cell")
def single_cell(
    data: Annotated[
        Path | None,
        typer.Option(help="Cells with raw counts: .h5ad, .h5 (10x), .mtx or its folder, .loom, .csv, .tsv."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Table (.csv, .tsv) of labels: cell names first, its other columns join obs."),
    ] = None,
    label_key: Annotated[str | None, typer.Option(help="Column of obs with the cell type.")] = None,
    batch_key: Annotated[
        list[str] | None, typer.Option(help="Column of obs with batch or donor; may be repeated.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer with the raw counts; found by itself otherwise.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the output.")] = Path("single-cell-run"),
    config: Annotated[
        Path | None, typer.Option(help="YAML settings, such as config.yaml of an earlier run.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting, such as vae.n_latent=20; may be repeated."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same result.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print metrics.json when done.")] = False,
) -> None:
    """Learn to generate single cells of each type, and judge them against held-out real cells."""
    settings = list(set_ or [])
    # Absolute, so that the run can be resumed from anywhere.
    files = {"data.path": data, "data.labels": labels}
    flags: dict[str, Path | str | int | None] = {
        name: file.expanduser().resolve() if file is not None else None for name, file in files.items()
    }
    flags |= {"data.label_key": label_key, "data.layer": layer, "seed": seed}
    flags |= {"vae_training.device": device, "diffusion_training.device": device}
    settings += [
        f"{name}={json_text.dumps(value if isinstance(value, int) else str(value), ensure_ascii=False)}"
        for name, value in flags.items()
        if value is not None
    ]
    if batch_key:
        settings.append(f"data.batch_keys={json_text.dumps(batch_key, ensure_ascii=False)}")
    if resume and config is None:
        # What isn't said again stays as it was; what is said otherwise is refused by its name.
        configured = _configure_again(out, settings) if settings else None
    else:
        configured = _configure(config, settings)
    run_and_report(configured, out=out, resume=resume, overwrite=overwrite, json=json)


def _configure_again(out: Path, settings: list[str]) -> SingleCellConfig:
    from genailab.configuration import build, read_yaml, with_settings
    from genailab.pipelines.run_folder import CONFIG, RunFolder
    from genailab.pipelines.single_cell_config import SingleCellConfig

    run = RunFolder.open(out, resume=True)
    return with_settings(build(SingleCellConfig, read_yaml(run / CONFIG)), settings)


def _configure(file: Path | None, settings: list[str]) -> SingleCellConfig:
    from genailab.configuration import build, read_yaml, with_settings
    from genailab.errors import InputError
    from genailab.pipelines.single_cell_config import SingleCellConfig

    base = build(SingleCellConfig, read_yaml(file)) if file is not None else SingleCellConfig()
    configured = with_settings(base, settings)
    if configured.data.path is None:
        raise InputError(
            "give your cells with --data FILE, or run `genailab demo` on cells that come with it"
        )
    return configured


def run_and_report(
    config: SingleCellConfig | None, *, out: Path, resume: bool, overwrite: bool, json: bool
) -> None:
    """Run the single-cell pipeline, say what it is doing and, at the end, what it found and where."""
    from rich.console import Console

    from genailab.pipelines import single_cell

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        result = single_cell.run(
            config,
            out=out,
            resume=resume,
            overwrite=overwrite,
            announce=lambda stage: console.print(stage, style="bold"),
            command=shlex.join(["genailab", *sys.argv[1:]]),
        )
    except KeyboardInterrupt as stop:
        # Here, because typer turns it into an exit without a word.
        words = str(stop) or f"stopped; what was done is in {out}"
        console.print(f"{words[0].upper()}{words[1:]}; go on with --resume")
        raise typer.Exit(128 + getattr(stop, "signal_number", signal.SIGINT)) from None
    if json:
        typer.echo(json_text.dumps(result.metrics))
        return
    console.print(f"\n{result.verdict}\n")
    for name, meaning in (
        ("report.html", "the page to look at"),
        ("generated.h5ad", "the new cells"),
        ("metrics.json", "every score"),
        ("model", "the trained model"),
    ):
        console.print(f"  {result.folder / name}  {meaning}")
