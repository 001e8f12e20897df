"""Lessons and hints, written in Markdown, as lines for a terminal: words only, no boxes and no colours."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

__all__ = ["prose", "wrap"]

WIDEST = 88  # characters that read well in a line
# A command must paste whole; textwrap does not break at a no-break space.
COMMAND = re.compile(
    r"genailab learn(?: [a-z]+)?(?: (?:[sc]?\d+(?:\.[a-z0-9]+)?|--[a-z]+|my-practice|ID|DIR)\b)*"
)
NO_BREAK = "\u00a0"


def wrap(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """Return lines of a paragraph; commands stay whole, and so do lines' own indents."""
    lines: list[str] = []
    whole = COMMAND.sub(lambda found: found[0].replace(" ", NO_BREAK), text)
    for line in whole.splitlines() or [""]:
        own = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line.strip(),
            min(width, WIDEST),
            initial_indent=indent + own,
            subsequent_indent=(indent if hanging is None else hanging) + own,
            break_on_hyphens=False,
        ) or [""]
        indent = indent if hanging is None else hanging
    return [line.replace(NO_BREAK, " ") for line in lines]


def prose(markdown: str, width: int, *, indent: str = "") -> list[str]:
    """Return a lesson or a hint as lines: paragraphs are wrapped, code is indented and stays as it is."""
    lines: list[str] = []
    before = ""
    for kind, block in _blocks(markdown):
        # Items of one list stand close together.
        if lines and not kind == before == "item":
            lines.append("")
        before = kind
        if kind == "code":
            lines += [
                f"{indent}  {_narrow(line, width - 2 - len(indent))}".rstrip() for line in block.splitlines()
            ]
        elif kind == "table":
            lines += [indent + line for line in block.splitlines()]
        elif kind == "item":
            lines += wrap(f"- {_plain(block)}", width, indent=indent, hanging=f"{indent}  ")
        else:
            lines += wrap(_plain(block), width, indent=indent)
    return lines


def _blocks(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield code, tables, list items, headings and paragraphs, each as one text."""
    for number, part in enumerate(re.split(r"^```.*$\n?", markdown, flags=re.MULTILINE)):
        if number % 2:
            yield "code", part.rstrip("\n")
            continue
        for block in re.split(r"\n\s*\n|(?=^#+ )|(?=^[-*] )", part, flags=re.MULTILINE):
            text = block.strip()
            if not text:
                continue
            if text.startswith("|"):
                yield "table", text
            elif text[:2] in ("- ", "* "):
                yield "item", _one_line(text[2:])
            else:
                yield "text", _one_line(text.lstrip("#"))


def _narrow(line: str, width: int) -> str:
    # Remarks that stand below each other do so no more where the terminal would break their lines.
    return line if len(line) <= width else re.sub(r" {3,}#", "  #", line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    """Return a text without marks of emphasis; what stands between backticks stays as it is."""
    parts = text.split("`")
    for number in range(0, len(parts), 2):
        part = re.sub(r"!\[([^\]]*)\]\(([^)]*)\)", r"Picture: \1 (\2)", parts[number])
        part = re.sub(r"(?<!!)\[([^\]]*)\]\(([^)]*)\)", r"\1 (\2)", part)
        part = re.sub(r"\*\*(.+?)\*\*", r"\1", part)
        parts[number] = re.sub(r"(?<![\w*])\*(\S(?:.*?\S)?)\*(?![\w*])", r"\1", part)
    return "`".join(parts)
