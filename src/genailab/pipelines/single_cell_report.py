"""What the report of a single-cell run shows: a map, marker genes, curves and scores."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Mapping, Sequence

import anndata as ad
import numpy as np
import pandas as pd
import torch

from genailab import __version__
from genailab.configuration import to_yaml
from genailab.data import CellDataset, log_normalise
from genailab.evaluation.metrics import METRICS
from genailab.evaluation.scores import Score
from genailab.evaluation.space import CellSpace
from genailab.pipelines.single_cell_config import SingleCellConfig
from genailab.pipelines.single_cell_data import PreparedCells
from genailab.reports.contents import DatasetSummary, LeftOut, Reproduction
from genailab.reports.single_cell import SingleCellReport, render
from genailab.training import History

__all__ = ["embed", "marker_table", "report"]

MARKER_COLUMNS = ["type", "gene", "real_mean", "generated_mean", "real_fraction", "generated_fraction"]
MAP_CELLS = 3000  # of each kind: more only make the page heavy


def report(
    cells: PreparedCells,
    generated: CellDataset,
    histories: Mapping[str, History],
    scores: Sequence[Score],
    verdict: str,
    config: SingleCellConfig,
    *,
    command: str,
    seconds: float,
    resumed: bool = False,
    told: Sequence[str] = (),
) -> str:
    """Return the page as HTML text."""
    return render(
        SingleCellReport(
            title="Generated single cells",
            verdict=verdict,
            dataset=_summary(cells),
            split_hash=cells.split.hash,
            embedding=embed(cells, generated, seed=config.seed),
            markers=marker_table(cells, generated, n_markers=config.evaluation.n_markers),
            curves={name: _curve(history) for name, history in histories.items()},
            scores=scores,
            metric_notes={metric.name: metric.meaning for metric in METRICS},
            reproduce=Reproduction(
                command=command,
                seed=config.seed,
                device=_device(config),
                duration_seconds=seconds,
                resumed=resumed,
                versions={
                    "genailab": __version__,
                    "Python": platform.python_version(),
                    "torch": torch.__version__,
                },
                config_yaml=to_yaml(config),
            ),
            warnings=told,
        )
    )


def embed(cells: PreparedCells, generated: CellDataset, *, seed: int) -> pd.DataFrame:
    """Lay out real cells by UMAP and put generated cells where they fall on that map: x, y, kind, type."""
    import umap  # seconds to import

    rng = np.random.default_rng(seed)
    real, new = (_at_most(MAP_CELLS, part, rng) for part in (cells.used, generated))
    space = CellSpace.fit(_at_most(MAP_CELLS, cells.train, rng))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap's own on its seed and on its numerics
        layout = umap.UMAP(random_state=seed, n_neighbors=min(15, real.n_cells - 1)).fit(space.points(real))
        placed = layout.transform(space.points(new))
    tables = [
        pd.DataFrame(
            {"x": points[:, 0], "y": points[:, 1], "kind": kind, "type": np.asarray(part.labels, dtype=str)}
        )
        for points, kind, part in ((layout.embedding_, "real", real), (placed, "generated", new))
    ]
    return pd.concat(tables, ignore_index=True)


def marker_table(cells: PreparedCells, generated: CellDataset, *, n_markers: int) -> pd.DataFrame:
    """Return each type's marker genes with their mean and fraction expressing, real beside generated.

    Markers are found on real training cells (Wilcoxon against the other types) and shown on held-out ones.
    """
    target = float(np.median(cells.train.library_sizes))
    markers = dict.fromkeys(gene for genes in _markers(cells.train, n_markers).values() for gene in genes)
    columns = [cells.train.genes.index(gene) for gene in markers]
    real, new = (_by_type(part, columns, target) for part in (cells.test, generated))
    rows = [
        {
            "type": type_,
            "gene": gene,
            "real_mean": real[type_][0][i],
            "generated_mean": new[type_][0][i],
            "real_fraction": real[type_][1][i],
            "generated_fraction": new[type_][1][i],
        }
        for type_ in real
        if type_ in new
        for i, gene in enumerate(markers)
    ]
    return pd.DataFrame(rows, columns=MARKER_COLUMNS)


def _markers(train: CellDataset, n_markers: int) -> dict[str, list[str]]:
    import scanpy as sc

    if len(set(train.labels)) < 2:
        return {}
    adata = ad.AnnData(log_normalise(train.counts), obs=pd.DataFrame({"type": pd.Categorical(train.labels)}))
    adata.obs_names, adata.var_names = list(train.cells), list(train.genes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.tl.rank_genes_groups(adata, "type", method="wilcoxon", n_genes=n_markers)
    names = adata.uns["rank_genes_groups"]["names"]
    return {str(type_): [str(gene) for gene in names[type_]] for type_ in names.dtype.names}


def _by_type(
    cells: CellDataset, columns: Sequence[int], target: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean log-normalised expression and fraction of cells with a count, ``(columns,)`` each, by type."""
    expression = log_normalise(cells.counts, target=target)[:, columns].toarray()  # (cells, columns)
    detected = cells.counts[:, columns].toarray() > 0
    labels = np.asarray(cells.labels, dtype=str)
    return {
        type_: (expression[labels == type_].mean(axis=0), detected[labels == type_].mean(axis=0))
        for type_ in sorted(set(labels))
    }


def _at_most(n: int, cells: CellDataset, rng: np.random.Generator) -> CellDataset:
    return cells if cells.n_cells <= n else cells.subset(np.sort(rng.choice(cells.n_cells, n, replace=False)))


def _summary(cells: PreparedCells) -> DatasetSummary:
    facts = cells.describe()
    left_out = [LeftOut(count=n, what="cells", reason=reason) for reason, n in facts["left_out"].items()]
    genes_left_out = facts["genes_read"] - facts["n_genes"]
    if genes_left_out:
        left_out.append(
            LeftOut(count=genes_left_out, what="genes", reason="not among the genes chosen on training cells")
        )
    return DatasetSummary(
        name=facts["name"],
        n_cells=facts["n_cells"],
        n_genes=facts["n_genes"],
        cell_types=facts["types"],
        counts_source=facts["counts_source"],
        left_out=tuple(left_out),
        splits=facts["parts"],
    )


def _curve(history: History) -> pd.DataFrame:
    frame = history.frame()
    return pd.DataFrame({"epoch": frame["epoch"], "train": frame["loss"], "valid": frame["valid_loss"]})


def _device(config: SingleCellConfig) -> str:
    if config.vae_training.device != "auto":
        return config.vae_training.device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
