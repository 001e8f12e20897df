"""``genailab evaluate``: what any generator made, against held-out real data, baselines and a ceiling."""

from __future__ import annotations

import json as json_text
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from genailab.evaluation.scores import Score
    from genailab.pipelines.evaluation import Evaluation

__all__ = ["evaluate_app"]

evaluate_app = typer.Typer(
    help="Score what any generator made against held-out real data.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Out = Annotated[Path | None, typer.Option(help="Folder for scores.json.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same scores.")]
Json = Annotated[bool, typer.Option("--json", help="Print the scores as JSON instead of a table.")]


@evaluate_app.command()
def sequences(
    generated: Annotated[Path, typer.Option(help="FASTA of the sequences to judge, plain or gzip.")],
    real: Annotated[Path, typer.Option(help="FASTA of held-out real sequences.")],
    train: Annotated[Path, typer.Option(help="FASTA of the sequences that the generator was trained on.")],
    alphabet: Annotated[str, typer.Option(help="DNA, RNA or PROTEIN.")] = "DNA",
    label_key: Annotated[
        str | None, typer.Option(help="Key of the class in each header: class for '>name class=donor'.")
    ] = None,
    motifs: Annotated[
        str, typer.Option(help="Group of JASPAR's motifs: vertebrates, plants, fungi, ...; or none.")
    ] = "vertebrates",
    coding: Annotated[
        bool, typer.Option("--coding", help="The sequences are coding sequences: check their frame.")
    ] = False,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Score sequences: composition, words, motifs, discriminators, diversity, novelty, copies."""
    from genailab.pipelines.evaluation import evaluate_sequences

    def judge(announce: Callable[[str], None]) -> Evaluation:
        return evaluate_sequences(
            generated,
            real=real,
            train=train,
            alphabet=alphabet,
            label_key=label_key,
            motifs=None if motifs == "none" else motifs,
            coding=coding,
            seed=seed,
            announce=announce,
        )

    _run(judge, out=out, json=json)


@evaluate_app.command()
def cells(
    generated: Annotated[Path, typer.Option(help="Cells to judge (.h5ad), with raw counts.")],
    real: Annotated[Path, typer.Option(help="Held-out real cells (.h5ad).")],
    train: Annotated[Path, typer.Option(help="Cells that the generator was trained on (.h5ad).")],
    label_key: Annotated[str | None, typer.Option(help="Column of obs with the cell type.")] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer with the raw counts; found by itself otherwise.")
    ] = None,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Score cells: distances, coverage, discriminator, genes, types, memorisation."""
    from genailab.pipelines.evaluation import evaluate_cells

    def judge(announce: Callable[[str], None]) -> Evaluation:
        return evaluate_cells(
            generated,
            real=real,
            train=train,
            label_key=label_key,
            layer=layer,
            seed=seed,
            announce=announce,
        )

    _run(judge, out=out, json=json)


def _run(judge: Callable[[Callable[[str], None]], Evaluation], *, out: Path | None, json: bool) -> None:
    """Judge, saying what is being done, and show what was found: the verdict first."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False)
    found = judge(lambda stage: console.print(stage, style="dim"))
    written = found.write(out) if out is not None else None
    if json:
        typer.echo(json_text.dumps(found.as_dict(), indent=2))
        return
    page = Console(highlight=False, markup=False)
    page.print(f"\n{found.verdict}\n")
    page.print(_table(found, page))
    page.print("\nUnder generated: its 95% interval. The ceiling is real data in the part of generated.")
    if written is not None:
        page.print(f"Every score with its interval and its space: {written}", soft_wrap=True)


def _table(found: Evaluation, console: Console) -> Table:
    from rich.table import Table

    by_metric: dict[str, dict[str, Score]] = {}
    for score in found.scores:
        by_metric.setdefault(score.metric, {})[score.subject] = score
    subjects = list(dict.fromkeys(score.subject for score in found.scores))
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", width=min(console.width, 120))
    table.add_column("metric", ratio=1, min_width=20)
    table.add_column("better", no_wrap=True)
    for subject in subjects:
        # In two lines, so that five subjects and the names of the metrics fit into 80 columns.
        table.add_column(subject.replace(" ", "\n", 1), justify="right", no_wrap=True)
    for metric, scores in by_metric.items():
        better = next(iter(scores.values())).better
        cells = [_shown(scores.get(subject), interval=subject == subjects[0]) for subject in subjects]
        table.add_row(metric, better, *cells)
    return table


def _shown(score: Score | None, *, interval: bool) -> str:
    if score is None:
        return ""
    text = f"{score.value:.3f}"
    return f"{text}\n{score.ci_low:.3f} {score.ci_high:.3f}" if interval else text
