"""A process that has torch and the checks loaded, and forks a child for each attempt it is asked to check.

Importing torch takes a second or two, forking a hundredth of one: this process is started once and asked many
times. Requests and answers are lines of JSON on its standard input and output; `genailab.learn.checker` talks
to it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["serve"]


def serve(requests: Any, answers: Any) -> None:
    """Answer until there are no more requests."""
    import torch

    from genailab.learn.checking.runner import check_file
    from genailab.learn.content import find_exercise

    torch.set_num_threads(1)
    _say(answers, {"ready": True})
    for line in requests:
        asked = json.loads(line)
        try:
            verdict = check_file(find_exercise(asked["id"]), Path(asked["path"]), seed=asked["seed"])
            _say(answers, {"verdict": verdict.to_json()})
        except Exception as error:
            _say(answers, {"error": " ".join(str(error).split()) or repr(error)})


def _say(answers: Any, fields: dict[str, Any]) -> None:
    answers.write(json.dumps(fields) + "\n")
    answers.flush()


if __name__ == "__main__":
    # The channel gets a descriptor of its own: whatever prints must not be read as an answer.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, channel)
