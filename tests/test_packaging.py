"""The package as a whole: its version, its programs and which part may import which."""

import ast
import functools
import importlib
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

import tf_unsup3d

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# An import may go down or stay on its level, never up (see CONTRIBUTING.md).
LEVELS = [
    {"errors", "files", "gfile_path", "compat", "quiet_import"},
    {"geometry"},
    {"rendering"},
    {"models", "data"},
    {"heads", "trained"},
    {"export", "reconstruction"},
    {"evaluation"},
    {"training"},
    {"serving"},
    {"programs"},
]

# Imports each program in turn; flags of one must not meet those of the next.
IMPORT_PROGRAMS = """
import importlib, sys
from absl import flags
for name in sys.argv[1:]:
    before = set(flags.FLAGS)
    module = importlib.import_module(name)
    assert callable(module.main) and callable(module.run), name
    for flag in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, flag)
"""


@functools.cache
def module_files() -> dict[str, pathlib.Path]:
    """Dotted names, below tf_unsup3d, of all its modules."""
    package = ROOT / "tf_unsup3d"
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        files[".".join(parts)] = path
    return files


def level(module: str) -> int:
    """0 is the lowest."""
    part = module.split(".")[0]
    return next(index for index, parts in enumerate(LEVELS) if part in parts)


def imported_modules(source: str) -> set[str]:
    """Dotted names, below tf_unsup3d, of what is imported, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            # `from tf_unsup3d import x` imports the module x.
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    prefix = "tf_unsup3d."
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def upward_imports(module: str, source: str) -> list[str]:
    return sorted(
        name
        for name in imported_modules(source)
        # `from tf_unsup3d import __version__` is no module.
        if not name.startswith("__") and level(name) > level(module)
    )


@functools.cache
def programs() -> list[str]:
    """The modules of all programs."""
    return [
        name
        for name, path in module_files().items()
        if name.startswith("programs.") and "cli.run(main" in path.read_text()
    ]


@pytest.mark.parametrize("module", [name for name in module_files() if name])
def test_imports_point_downwards(module):
    source = module_files()[module].read_text()
    assert upward_imports(module, source) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models.generator", "from tf_unsup3d.training import losses"),
        ("rendering.renderer", "import tf_unsup3d.models.generator"),
        ("geometry.mesh", "def f():\n    from tf_unsup3d import rendering"),
        ("training.trainer", "from tf_unsup3d.programs import cli"),
        ("trained.published", "from tf_unsup3d.training import trainer"),
        ("errors", "from tf_unsup3d.geometry import mesh"),
    ],
)
def test_an_upward_import_is_found(module, source):
    assert len(upward_imports(module, source)) == 1


def test_a_downward_import_is_allowed():
    source = "import tensorflow as tf\nfrom tf_unsup3d.geometry import mesh"
    assert upward_imports("models.generator", source) == []


def test_every_module_has_a_level():
    assert all(level(name) >= 0 for name in module_files() if name)


@pytest.mark.parametrize(
    "module",
    [name for name in module_files() if name and name not in programs()],
)
def test_module_imports(module):
    importlib.import_module(f"tf_unsup3d.{module}")


def test_programs_import():
    names = [f"tf_unsup3d.{name}" for name in programs()]
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_PROGRAMS, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,  # Long after it has surely hung.
    )
    assert result.returncode == 0, result.stderr


def test_console_scripts_are_the_programs():
    scripts = PROJECT["project"]["scripts"]
    for script, target in scripts.items():
        program = script.removeprefix("unsup3d-").replace("-", "_")
        assert target == f"tf_unsup3d.programs.{program}:run"
        assert f"programs.{program}" in programs()


def test_version_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", tf_unsup3d.__version__)
    assert "version" in PROJECT["project"]["dynamic"]
    attribute = PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "tf_unsup3d.__version__"
    changelog = (ROOT / "CHANGELOG.md").read_text()
    latest = re.search(r"^## (\S+?),", changelog, re.MULTILINE).group(1)
    assert latest == tf_unsup3d.__version__


def test_the_wheel_builds_against_the_pinned_tensorflow():
    pinned = (ROOT / "requirements.txt").read_text().splitlines()
    (tensorflow,) = [line for line in pinned if line.startswith("tensorflow==")]
    assert tensorflow in PROJECT["build-system"]["requires"]
