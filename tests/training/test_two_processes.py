import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import small_training
import torch
from safetensors.torch import load_file

SCRIPT = Path(small_training.__file__).with_name("two_processes.py")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.skipif(
    not torch.distributed.is_available(), reason="torch was built without distributed training"
)
def test_two_processes_train_stop_and_resume_together(tmp_path):
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path)],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        said = [process.communicate(timeout=90)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    for name in ("first", "second"):
        one, other = (load_file(tmp_path / f"{name}-{rank}.safetensors") for rank in (0, 1))
        learned = [key for key in one if "running" not in key and "batches" not in key]
        assert all(torch.equal(one[key], other[key]) for key in learned)
