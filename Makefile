# Two commands: `make report` and `make test`. Both make the environment first if it is not there yet.
# Windows and conda users: see README.md, which gives the same steps without make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PYTHONUTF8 := 1
export PYTHONIOENCODING := utf-8
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: report test lint clean
.DEFAULT_GOAL := report

report: $(STAMP)
	@echo "== Lập báo cáo từ dữ liệu mô phỏng / Making the report from the simulated data"
	@$(BIN)/sipas report

test: $(STAMP)
	@echo "== Kiểm tra mã nguồn và số liệu / Checking code and numbers"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@# mypy runs on one core, so the tests begin beside it; the files go to as many workers as there are cores, the long
	@# ones first (tests/conftest.py); BLAS must not multiply the workers
	@$(BIN)/mypy & types=$$!; \
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types && exit $$tests

lint: $(STAMP)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Cần Python 3.11 trở lên / Python 3.11 or newer is needed: $$($(PYTHON) --version)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Thiếu gói python3-venv. Cài bằng: sudo apt-get install python3-venv / The package python3-venv is missing; install it with: sudo apt-get install python3-venv"; exit 1; }
	@echo "== Tạo môi trường $(VENV) (vài phút, khoảng 1,6 GB) / Creating the environment $(VENV) (a few minutes, about 1.6 GB)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@# so that JupyterLab finds this environment's Python even where the environment was not activated
	@$(BIN)/python -m ipykernel install --sys-prefix --name python3 --display-name "Python 3 (ipykernel)" >/dev/null
	@touch $(STAMP)

clean:
	rm -rf $(VENV) outputs build dist
