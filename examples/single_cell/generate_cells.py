# ruff: noqa: T201 - a script talks to its user
"""Learn to generate single cells of each type from your own counts, judge them, and draw more of one type.

The same as ``genailab run single-cell``, written out so that you can change it::

    python examples/single_cell/generate_cells.py
    python examples/single_cell/generate_cells.py --data cells.h5ad --label-key cell_type --out my-run
    python examples/single_cell/generate_cells.py --data cells.h5ad --label-key cell_type --set vae.beta=2
    python examples/single_cell/generate_cells.py --out my-run --resume --more-of "NK cells" --n 500

The first takes the 700 blood cells that come with genailab. ``--resume`` goes on after an interruption, or
with a finished run. The folder named by ``--out`` then holds ``report.html`` (look at this first),
``metrics.json``, ``generated.h5ad``, ``model/`` and, with ``--more-of``, ``more_cells.h5ad``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import torch

from genailab.configuration import with_settings
from genailab.errors import InputError
from genailab.generative.diffusion import LatentDiffusion
from genailab.pipelines import single_cell
from genailab.pipelines.single_cell_config import SingleCellConfig


def main() -> None:
    """Run the pipeline; then, if asked, draw more cells of one type."""
    options = _options()
    result = single_cell.run(
        _configuration(options),
        out=options.out,
        resume=options.resume,
        overwrite=options.overwrite,
        announce=print,
        command=shlex.join(["python", *sys.argv]),
    )
    print(f"\n{result.verdict}\n\nLook at {result.folder / 'report.html'}")
    if options.more_of:
        asked = {result.metrics["dataset"]["label_key"]: options.more_of}
        cells = more_cells(result.folder / "model", asked, n=options.n)
        cells.write_h5ad(result.folder / "more_cells.h5ad")
        print(f"{cells.n_obs} more cells of type {options.more_of!r} in {result.folder / 'more_cells.h5ad'}")


def more_cells(model_folder: Path, asked: dict[str, str], *, n: int, seed: int = 0) -> ad.AnnData:
    """Draw ``n`` cells from a saved model: counts in ``X``, what was asked for in ``obs``.

    ``asked`` names the cell type, and the batch where the model was told of batches.
    """
    model = LatentDiffusion.from_pretrained(model_folder)
    counts = model.sample(n, asked, generator=torch.Generator().manual_seed(seed))  # (n, genes)
    obs = pd.DataFrame(asked, index=[f"generated-{i}" for i in range(1, n + 1)], dtype="category")
    return ad.AnnData(counts.numpy().astype(np.int32), obs, pd.DataFrame(index=list(model.config.vae.genes)))


def _configuration(options: argparse.Namespace) -> SingleCellConfig | None:
    settings = list(options.set)
    for name, value in (("data.path", options.data), ("data.label_key", options.label_key)):
        settings += [f"{name}={value}"] if value else []
    if options.resume and not settings:
        return None  # the run's own settings
    return with_settings(SingleCellConfig(), settings)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="cells with raw counts; without it, blood cells that come along")
    parser.add_argument("--label-key", help="column of obs with the cell type")
    parser.add_argument("--out", default="example-run", help="folder for the output")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in the folder")
    parser.add_argument("--more-of", metavar="TYPE", help="then draw more cells of this type")
    parser.add_argument("--n", type=int, default=100, help="how many more")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"Error: {error}")
