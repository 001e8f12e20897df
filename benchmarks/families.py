"""Every family of generator on the same real cells and the same real DNA: quality, time, memory.

Runs `families_cells` and `families_dna`, each with its own table; they take options of their own.
"""

from __future__ import annotations

import argparse

import families_cells
import families_dna


def main() -> None:
    """Run either half, or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("cells", "dna"), help="one half alone; both by default")
    only = parser.parse_args().only
    if only != "dna":
        families_cells.main([])
    if only != "cells":
        families_dna.main([])


if __name__ == "__main__":
    main()
