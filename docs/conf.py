"""How the site is built: `make docs`. No step needs the network."""

from __future__ import annotations

import genailab

project = "genailab"
author = "The genailab authors"
project_copyright = "2026, The genailab authors"
release = genailab.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
]
exclude_patterns = ["_build", "_templates", "**/.ipynb_checkpoints"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"genailab {release}"
html_static_path: list[str] = []

# Theory is written with $...$ and $$...$$; a notebook stops the build where one of its cells fails.
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600

# A name is documented once, in the module that defines it: a reference to it has one place to lead to.
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = False
napoleon_preprocess_types = False
