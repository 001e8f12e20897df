"""Every family of generator on the same real DNA, one table a data set.

Three tasks (see `dna_tasks`): splice sites active or not, lac promoters of low or high expression, regions
under CTCF or PU.1 peaks. Every family learns ``p(sequence | class)`` from the same sequences, and makes as
many of each class as are held out. Claims: a judge trained on other sequences finds the asked class more
often than in those of Markov chains and position weights fitted to each class; the discriminators' AUROC is
nearer to 0.5 and the motifs' rates correlate better than theirs; copies of training sequences are no more
frequent than among held-out real ones.

Each family is trained and sampled in a process of its own, on one core, so that seconds (of processor time)
and peak memory are its own; the memory holds torch and the data as well (``before_training``). One seed;
intervals are bootstraps over sequences, and do not hold what another training would change.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dna_families import BATCH, FAMILIES, Family
from dna_tasks import TASKS, Task, data_folder
from machine import save_result
from safetensors.torch import load_file, save_file
from torch import Tensor

from genailab.data.motifs.jaspar import read_jaspar
from genailab.data.sequences.encoding import decode
from genailab.evaluation.generated_sequences import SequenceComparison, SequenceOptions, SequencePredictors
from genailab.evaluation.generated_sequences.references import reference_sequences
from genailab.evaluation.scores import Score
from genailab.training import fit, seeded

SHARPER = {  # values beside 1, which samples as learned
    "guidance_scale": {"splice_sites": (1.5, 2.0, 3.0), "lac_promoters": (2.0,), "binding_regions": (2.0,)},
    "temperature": {"splice_sites": (0.8,), "lac_promoters": (0.8,), "binding_regions": (0.8, 0.9)},
}
OPTIONS = SequenceOptions(n_bootstrap=200, max_train=20_000)
SHOWN = (
    "class fidelity",
    "logistic AUROC",
    "forest AUROC",
    "3-mer correlation",
    "6-mer correlation",
    "motif rate correlation",
    "motif co-occurrence correlation",
    "activity KS",
    "diversity ratio",
    "unique share",
    "novelty ratio",
    "exact-copy rate",
)
BASELINES = ("Markov", "position weights")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, sample, judge and save one result a task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder with ctcf.fa.gz, pu1.fa.gz")
    parser.add_argument("--folder", type=Path, help="keep samples here; what is there is not made anew")
    parser.add_argument("--only-make", action="store_true", help="train and sample here, judge nothing")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    folder = options.folder or Path(tempfile.mkdtemp())
    for name in options.tasks:
        if name == "binding_regions" and not (options.data and (options.data / "ctcf.fa.gz").is_file()):
            print("ctcf.fa.gz and pu1.fa.gz are not here: name their folder with --data")
            continue
        if options.only_make:
            for family in options.families:
                make(TASKS[name](options.data), family, folder)
            continue
        families = [family for family in options.families if name in FAMILIES[family].steps]
        for family in families:
            _made_by_itself(name, family, folder, options.data)
        result = judge(TASKS[name](options.data), families, folder)
        save_result(f"families_dna_{name}", result, packages=("scikit-learn", "pyjaspar"))
        print(as_table(result))


# --- train and sample ------------------------------------------------------------------------------------


def _made_by_itself(task: str, family: str, folder: Path, data: Path | None) -> None:
    if _place(folder, task, family).with_suffix(".json").is_file():
        return
    command = [sys.executable, __file__, "--only-make", "--tasks", task, "--families", family]
    command += ["--folder", str(folder)] + (["--data", str(data)] if data else [])
    subprocess.run(command, check=True)


def _place(folder: Path, task: str, family: str) -> Path:
    return folder / task / re.sub(r"\W+", "_", family)


def make(task: Task, name: str, folder: Path) -> None:
    """Train one family and write its samples, and what they cost, to ``folder``."""
    family, place = FAMILIES[name], _place(folder, task.name, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    before = peak_memory()
    with seeded(0):
        model = family.make(task)
    started = time.process_time()
    history = fit(model, task.rows, None, family.training(task), show_progress=False)
    cost: dict[str, Any] = {
        "training_cpu_seconds": round(time.process_time() - started, 1),
        "steps": history.records[-1]["step"],
        "batch_size": BATCH,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "sampling_cpu_seconds_per_1000": {},
    }
    made: dict[str, Tensor] = {}
    asked = {task.covariate: torch.from_numpy(task.real.labels)}
    for value, settings in _settings(family, task):
        started = time.process_time()
        made[value] = model.sample(
            len(task.real), asked, generator=torch.Generator().manual_seed(1), **settings
        )
        seconds = (time.process_time() - started) * 1000 / len(task.real)
        cost["sampling_cpu_seconds_per_1000"][value] = round(seconds, 2)
    cost |= {"peak_memory_mb": peak_memory(), "before_training_mb": before}
    model.save_pretrained(place)
    save_file(made, place.with_suffix(".safetensors"))
    place.with_suffix(".json").write_text(json.dumps(cost))


def _settings(family: Family, task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "1", dict(family.sampling)
    for value in SHARPER[family.sharpened_by][task.name] if family.sharpened_by else ():
        yield f"{value:g}", {**family.sampling, family.sharpened_by: value}


def peak_memory() -> int:
    """Most memory that this process has held, MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's, before this program was loaded
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- judge -----------------------------------------------------------------------------------------------


def judge(task: Task, families: Sequence[str], folder: Path) -> dict[str, Any]:
    """Score real sequences, simple generators and families alike."""
    asked = task.names(task.real.labels)
    comparison = SequenceComparison.fit(
        task.real.codes,
        train=task.train.codes,
        labels=asked,
        train_labels=task.names(task.train.labels),
        motifs=read_jaspar(tax_group="vertebrates") if task.length > 20 else (),
        predictors=SequencePredictors(classify=task.judged, activity=task.judge),
        options=OPTIONS,
    )
    scores = comparison.ceiling()
    subjects: dict[str, dict[str, Any]] = {}
    simple = reference_sequences(
        comparison.train, comparison.real.sequences, generator=np.random.default_rng(0)
    )
    for name, sequences in simple.items():
        scores += comparison.compare(sequences, subject=name)
        subjects[name] = by_measurement(task, sequences.codes, sequences.labels or ())
    for family in families:
        place = _place(folder, task.name, family)
        cost = json.loads(place.with_suffix(".json").read_text())
        sampling = cost["sampling_cpu_seconds_per_1000"]
        for value, codes in sorted(load_file(place.with_suffix(".safetensors")).items()):
            option = FAMILIES[family].sharpened_by.replace("_", " ")
            subject = family if value == "1" else f"{family}, {option} {value}"
            scores += comparison.compare(codes, subject=subject, labels=asked)
            cost["sampling_cpu_seconds_per_1000"] = sampling[value]
            subjects[subject] = cost | by_measurement(task, codes, asked)
    return {
        "task": task.about,
        "train": len(task.train),
        "held_out": len(task.real),
        "subjects": {
            subject: {**each, **shown(scores, subject)}
            for subject, each in ({name: {} for name in _subjects(scores)} | subjects).items()
        },
        "reached": {subject: reached(scores, subject) for subject in subjects if subject not in simple},
    }


def by_measurement(task: Task, codes: Tensor, asked: Sequence[str]) -> dict[str, Any]:
    """Classes and copies where nearly every sequence there is has been measured.

    Of the generated sequences that were measured but not trained on, the share that has the asked class; and
    how many times likelier a training sequence of the class is generated than one that was kept from the
    generator, which is 1 where nothing is memorised, whatever the share of known sequences.
    """
    if task.measured is None:
        return {}
    trained = set(decode(task.train.codes))
    found: dict[str, Any] = {}
    for label, name in enumerate(task.classes):
        words = decode(codes[torch.from_numpy(np.array(asked) == name)])
        new = [word for word in words if word in task.measured.index and word not in trained]
        right = np.array([task.measured[word] == label for word in new])
        of_class = set(task.measured.index[task.measured == label])
        known, unseen = of_class & trained, of_class - trained
        rates = [sum(word in group for word in words) / len(group) for group in (known, unseen)]
        error = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / len(right))
        found[f"measured {name}, of the new"] = f"{right.mean():.3f} +- {error:.3f} of {len(right)}"
        found[f"training site likelier, {name}"] = round(rates[0] / rates[1], 2)
    return found


def _subjects(scores: Sequence[Score]) -> list[str]:
    return list(dict.fromkeys(score.subject for score in scores))


def shown(scores: Sequence[Score], subject: str) -> dict[str, str]:
    """Return the scores of the table, each with its 95% interval."""
    return {
        score.metric: f"{score.value:.3f} [{score.ci_low:.3f}, {score.ci_high:.3f}]"
        for score in scores
        if score.subject == subject and score.metric in SHOWN
    }


def reached(scores: Sequence[Score], subject: str) -> dict[str, str]:
    """Say of each claim whether it holds against each baseline: beyond the intervals, or at all."""
    found = {}
    words = (
        "motif rate correlation" if _named(scores, subject, "motif rate correlation") else "3-mer correlation"
    )
    for baseline in _subjects(scores):
        if not baseline.startswith(BASELINES):
            continue
        for metric in ("class fidelity", "logistic AUROC", "forest AUROC", words):
            mine, theirs = (_span(_named(scores, each, metric)) for each in (subject, baseline))
            verdict = "better" if mine[0] > theirs[2] else "worse" if mine[2] < theirs[0] else "even"
            found[f"{metric} against {baseline}"] = verdict
    copies, real = (_named(scores, each, "exact-copy rate")[0] for each in (subject, "ceiling"))
    found["copies"] = "no more than held out" if copies.ci_low <= real.ci_high else "more than held out"
    return found


def _named(scores: Sequence[Score], subject: str, metric: str) -> list[Score]:
    return [score for score in scores if (score.subject, score.metric) == (subject, metric)]


def _span(found: Sequence[Score]) -> tuple[float, float, float]:
    """Low end, value and high end of the interval, more being better: AUROC as distance from 0.5."""
    score = found[0]
    if not score.metric.endswith("AUROC"):
        return score.ci_low, score.value, score.ci_high
    far = [abs(end - 0.5) for end in (score.ci_low, score.ci_high)]
    near = 0.0 if score.ci_low <= 0.5 <= score.ci_high else min(far)
    return -max(far), -abs(score.value - 0.5), -near


def as_table(result: dict[str, Any]) -> str:
    """Return the subjects as lines of a Markdown table."""
    rows = result["subjects"]
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(str(row.get(key, "")) for key in columns) + " |"
        for name, row in rows.items()
    ]
    return "\n".join([result["task"], "", *lines])


if __name__ == "__main__":
    main()
