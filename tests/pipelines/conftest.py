import pytest
import small_run
import torch

from genailab.pipelines import single_cell, single_cell_report


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def _without_umap(monkeypatch):
    monkeypatch.setattr(single_cell_report, "embed", small_run.random_map)


@pytest.fixture
def _without_scores(monkeypatch, _without_umap):
    """For what is not about the scores: these forests take seconds a run."""
    monkeypatch.setattr(single_cell, "judge", lambda *_: small_run.one_score())


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """Invented cells, with 4 of a rare type and 3 without counts."""
    return small_run.write(tmp_path_factory.mktemp("cells"), small_run.cells(rare=4, empty=3))


@pytest.fixture(scope="session")
def finished(file, tmp_path_factory):
    """A whole run but for UMAP, whose compilation takes half a minute; `make demo` shows that it works."""
    torch.set_num_threads(1)
    said = []
    out = tmp_path_factory.mktemp("runs") / "finished"
    call = {"announce": said.append, "command": "genailab run ..."}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(single_cell_report, "embed", small_run.random_map)
        result = single_cell.run(small_run.quick(file), out=out, **call)
    return result, said
