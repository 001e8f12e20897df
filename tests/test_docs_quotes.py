"""Each piece of code that a theory page quotes stands in the function that the page names."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "genailab" / "generative"
QUOTE = re.compile(r"([^\n]+(?:\n[^\n]+)*)\n\n```python\n(.*?)```", re.DOTALL)  # a paragraph, then code
NAME = re.compile(r"`([\w./]+)`")
PAGES = ["docs/VAE/count_vae.md", "docs/diffusion/latent_diffusion.md"]


def quotes():
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        found = QUOTE.findall(text)
        assert len(found) == text.count("```python"), f"{page} quotes code without a paragraph before it"
        yield from (pytest.param(*quote, id=f"{page}: {quote[1].splitlines()[0]}") for quote in found)


@cache
def sources(file: str) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob(file or "*.py")))


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def code_of(name: str, source: str) -> str:
    """Return the text of a function, class or ``Class.method``; nothing where there is none."""
    found: list[ast.AST] = [parsed(source)]
    for part in name.split("."):
        inner = [child for node in found for child in ast.walk(node)]
        found = [node for node in inner if getattr(node, "name", None) == part]
    return "\n".join(ast.get_source_segment(source, node) or "" for node in found)


def closed_up(code: str) -> str:
    return re.sub(r"\s+", "", code)


@pytest.mark.parametrize(("paragraph", "code"), list(quotes()))
def test_the_code_that_a_page_quotes_is_in_the_function_it_names(paragraph, code):
    names = NAME.findall(paragraph)
    file = next((name for name in reversed(names) if name.endswith(".py")), "")
    functions = [name for name in names if not name.endswith(".py")]
    assert sources(file), f"there is no {file}"
    named = [code_of(function, source) for function in functions for source in sources(file)]
    assert any(closed_up(code) in closed_up(text) for text in named), (
        f"none of {functions} in {file or 'any file'} holds {code!r}"
    )
