"""Learn to generate single cells of each type from your own counts, and judge them.

The same as ``genailab run single-cell``, written out so that you can change it:

    python examples/single_cell/generate_cells.py                       # 700 blood cells that come with genailab
    python examples/single_cell/generate_cells.py --data cells.h5ad --label-key cell_type --out my-run
    python examples/single_cell/generate_cells.py --data cells.h5ad --label-key cell_type --set vae.n_latent=20
    python examples/single_cell/generate_cells.py --out my-run --resume # go on after an interruption

The folder named by ``--out`` then holds ``report.html`` (look at this), ``metrics.json``, ``generated.h5ad`` and ``model/``.
The last step shows how to go on with the model: it draws more cells of a type of your choice (``--more-of``).
"""

from __future__ import annotations

import argparse
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
        command=" ".join(["python", *sys.argv]),
    )
    print(f"\n{result.verdict}\n\nLook at {result.folder / 'report.html'}")
    if options.more_of:
        cells = more_cells(result.folder / "model", options.more_of, n=options.n)
        place = result.folder / "more_cells.h5ad"
        cells.write_h5ad(place)
        print(f"{cells.n_obs} more cells of type {options.more_of!r} are in {place}")


def more_cells(model_folder: Path, type_: str, *, n: int = 100, seed: int = 0) -> ad.AnnData:
    """Draw ``n`` cells of one type from a saved model: counts in ``X``, the type in ``obs``."""
    model = LatentDiffusion.from_pretrained(model_folder)
    (label_key,) = model.config.diffusion.conditions  # a run with --batch-key has more conditions than the type
    counts = model.sample(n, {label_key: type_}, generator=torch.Generator().manual_seed(seed))  # (n, genes)
    obs = pd.DataFrame({label_key: pd.Categorical([type_] * n)}, index=[f"generated-{i}" for i in range(n)])
    return ad.AnnData(counts.numpy().astype(np.int32), obs, pd.DataFrame(index=list(model.config.vae.genes)))


def _configuration(options: argparse.Namespace) -> SingleCellConfig | None:
    settings = list(options.set)
    for name, value in (("data.path", options.data), ("data.label_key", options.label_key)):
        settings += [f"{name}={value}"] if value else []
    if options.resume and not settings:
        return None  # the run's own settings
    # The path needs its label: with_settings checks them together, once all are in place.
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
    parser.add_argument("-n", type=int, default=100, help="how many more")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"Error: {error}")
