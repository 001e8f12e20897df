"""Bring a workspace the content of the installed genailab; what the learner has edited stays theirs."""

from __future__ import annotations

from dataclasses import dataclass

from genailab.learn.state.atomic import write_atomically
from genailab.learn.state.handout import digest, given, handout, write_given
from genailab.learn.state.workspace import Workspace

__all__ = ["Update", "update"]


@dataclass(frozen=True, kw_only=True)
class Update:
    """What was done, as paths from the workspace's root.

    Parameters
    ----------
    added
        Files that were not there.
    replaced
        Files that were as they had been given.
    beside
        Files with edits and new content: they stay, and the new content lies beside them as ``.new``.
    """

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    beside: tuple[str, ...]


def update(workspace: Workspace) -> Update:
    """Write what is new; never over an edit."""
    before = given(workspace)
    done: dict[str, list[str]] = {"added": [], "replaced": [], "beside": []}
    files = handout(workspace)
    for name, content in files.items():
        what = _what_to_do(workspace, name, content, before.get(name))
        if what is None:
            continue
        write_atomically(workspace.root / (f"{name}.new" if what == "beside" else name), content)
        done[what].append(name)
    # What is not handed out any more stays known: it comes back unedited if it is handed out again.
    write_given(workspace, before | {name: digest(content) for name, content in files.items()})
    workspace.write()
    return Update(**{what: tuple(names) for what, names in done.items()})


def _what_to_do(workspace: Workspace, name: str, content: bytes, was_given: str | None) -> str | None:
    path = workspace.root / name
    if not path.is_file():
        return "added"
    mine, new = digest(path.read_bytes()), digest(content)
    if mine == new:
        return None
    if mine == was_given:
        return "replaced"
    return "beside" if new != was_given else None
