"""``genailab demo``: the main job on bundled real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["demo"]


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the output.")] = Path("demo-run"),
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same result.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the folder.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print metrics.json when done.")] = False,
) -> None:
    """Generate blood cells of each type by latent diffusion and judge them against held-out real cells."""
    from genailab.cli.run import run_and_report
    from genailab.pipelines.single_cell_config import SingleCellConfig

    config = None if resume and seed is None else SingleCellConfig(seed=seed or 0)
    run_and_report(config, out=out, resume=resume, overwrite=overwrite, json=json)
