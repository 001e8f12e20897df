# Every target makes .venv and installs what it needs; a second call installs nothing. `make` alone lists them.
# Choices: PYTHON=/path/to/python   ARGS="--seed 1" (passed on by demo, test and lab)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-web lint lab notebooks docs bench lock clean
unexport PYTHONPATH PYTHONHOME

PYTHONS = $(if $(PYTHON),'$(PYTHON)',python3.11 python3.12 python3.13 python3)
SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PIP_INSTALL = .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
EXTRAS = dev,docs,loom,notebooks,tracking

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: .venv/.core ## train, generate and judge real cells, end to end, into demo-run/ (about two minutes)
	@.venv/bin/genailab demo --out demo-run --overwrite $(ARGS)

# One thread in each process: numba's first parallel loop would give torch a thread for each core again.
test: lint ## check style, types and import direction, then run the tests
	@echo "Running the tests"
	@OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv/bin/python -m pytest -q -n 2 --ignore tests/web $(ARGS)

test-web: .venv/.dev .venv/.notebooks ## try the practice in JupyterLab and its web page in a real browser
	@scripts/install_browser.sh
	@echo "Running the tests in a browser"
	@OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv/bin/python -m pytest -q tests/web $(ARGS)

lint: .venv/.dev ## check style, types and import direction only
	@echo "Checking style, types and import direction"
	@.venv/bin/ruff check --quiet --output-format concise
	@.venv/bin/ruff format --check --quiet || { echo "run .venv/bin/ruff format"; exit 1; }
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/lint-imports > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

lab: .venv/.notebooks ## open JupyterLab
	@.venv/bin/jupyter lab $(ARGS)

notebooks: .venv/.notebooks ## run every notebook from top to bottom
	@find notebooks -name '*.ipynb' -not -path '*/.ipynb_checkpoints/*' 2>/dev/null | sort | \
	while IFS= read -r notebook; do \
	  echo "Running $$notebook"; .venv/bin/jupyter-execute --NbClientApp.log_level=40 "$$notebook" </dev/null || exit 1; \
	done

docs: .venv/.docs ## build the site into docs/_build/html/
	@echo "Building docs/_build/html/index.html"
	@.venv/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# families.py runs its two halves, families_cells.py and families_dna.py.
bench: .venv/.dev ## run every benchmark in benchmarks/
	@for benchmark in benchmarks/[!_]*.py; do \
	  case "$$benchmark" in */families_*) continue;; esac; \
	  [ -e "$$benchmark" ] || continue; \
	  echo "Running $$benchmark"; .venv/bin/python "$$benchmark" || exit 1; \
	done

lock: .venv/.made ## rewrite constraints.txt with the newest versions that fit together
	@echo "Installing every extra into a fresh environment (several minutes)"
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && \
	grep '^torch==' constraints.txt > "$$new/torch.txt" && \
	.venv/bin/python -m venv "$$new/venv" && \
	"$$new/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	  -c "$$new/torch.txt" -e '.[$(EXTRAS)]' && \
	"$$new/venv/bin/python" -m pip freeze --exclude-editable > "$$new/frozen.txt" && \
	{ grep '^#' constraints.txt; \
	  sed 's/+[^ ;]*//' "$$new/frozen.txt" | grep '==' | LC_ALL=C sort -f | \
	  grep -viE '^(torchvision|torchaudio|nvidia-|cuda-|triton|genailab|pip=|setuptools=)'; } > "$$new/constraints.txt" && \
	mv "$$new/constraints.txt" constraints.txt && \
	echo "Wrote constraints.txt with $$(grep -c == constraints.txt) versions"

clean: ## remove .venv, demo-run/, the built site and caches
	@rm -rf .venv demo-run docs/_build docs/api build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  .import_linter_cache
	@find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# What is installed leaves a stamp in .venv, so that a change of pyproject.toml or constraints.txt installs again.
.venv/.core: .venv/.made pyproject.toml constraints.txt
	@echo "Installing genailab into .venv (a few minutes the first time)"
	@$(PIP_INSTALL) -e .
	@touch $@

.venv/.dev .venv/.notebooks .venv/.docs: .venv/.%: .venv/.core
	@echo "Installing what '$*' needs"
	@$(PIP_INSTALL) -e '.[$*]'
	@touch $@

# Each candidate is run, not looked up: a pyenv shim exists for versions that it then refuses to start.
.venv/.made:
	@if .venv/bin/python -c '$(SUPPORTED)' 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1; \
	then touch $@; exit 0; fi; \
	bare=; \
	for python in $(PYTHONS); do \
	  "$$python" -c '$(SUPPORTED)' >/dev/null 2>&1 || continue; \
	  "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || { bare=$$python; continue; }; \
	  echo "Creating .venv with $$("$$python" --version) ($$python)"; \
	  "$$python" -m venv --clear .venv && touch $@; exit; \
	done; \
	if [ -n "$$bare" ]; then \
	  echo "$$bare has no venv module: install it (on Debian or Ubuntu: sudo apt-get install python3-venv)," \
	    "then run make again." >&2; \
	else \
	  echo "genailab needs Python 3.11, 3.12 or 3.13, and found none that runs as: $(PYTHONS)." \
	    "Install one (on Debian or Ubuntu: sudo apt-get install python3 python3-venv)," \
	    "or name it: make PYTHON=/path/to/python3.12" >&2; \
	fi; \
	exit 1
