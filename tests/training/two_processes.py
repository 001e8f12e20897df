"""Trains in one of several processes (``torchrun``'s environment variables are set) and saves the weights."""

import os
import signal
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small_training import Regression, train

from genailab.training import Interrupted


def main(folder: Path) -> None:
    rank = int(os.environ["RANK"])
    model, history = train(folder / "first", max_epochs=2, ema_decay=0.5)
    assert [record["step"] for record in history.records] == [4, 8]  # 50 rows, 2 processes, batches of 8
    save_file(model.state_dict(), folder / f"first-{rank}.safetensors")
    broken = Regression()
    if rank == 1:  # one process alone is told to stop: all must
        broken.before_step = lambda step: os.kill(os.getpid(), signal.SIGTERM) if step == 5 else None
    with pytest.raises(Interrupted) as stop:
        train(folder / "second", max_epochs=2, accumulate=2, model=broken)
    assert stop.value.signal_number == signal.SIGTERM
    torch.distributed.barrier()
    resumed, _ = train(folder / "second", max_epochs=2, accumulate=2, resume=True)
    assert not resumed.training
    save_file(resumed.state_dict(), folder / f"second-{rank}.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
    # Together: a process that is gone while the other still talks to it ends that one with an abort.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
