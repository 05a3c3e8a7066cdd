"""Results as JSON, and as tables in a Markdown page."""

import importlib.metadata
import json
import os
import pathlib
import platform
import time
from collections.abc import Callable

from tf_unsup3d.errors import UserError

PACKAGES = (
    "tensorflow",
    "tensorflow-graphics",
    "deodr",
    "torch",
    "pytorch3d",
    "moderngl",
    "numpy",
)


def _processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe_machine() -> dict[str, object]:
    """What the numbers depend on: processor, load, versions, date."""
    versions = {package: _version(package) for package in PACKAGES}
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version for name, version in versions.items() if version},
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def write_json(path: str | os.PathLike, result: dict) -> dict:
    """Writes a result, creating the folder, and returns what can be read back."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1)
    path.write_text(text + "\n")
    return json.loads(text)


def read_json(
    path: str | os.PathLike, result: dict, conditions: Callable[[dict], dict]
) -> dict | None:
    """Reads what a file has of a result, so that it can be added to.

    Args:
      path: of the file.
      result: what is going to be measured.
      conditions: picks from a result what has to be the same in both.

    Returns:
      The result in the file; None if there is none.

    Raises:
      UserError: it was measured under other conditions.
    """
    path = pathlib.Path(path)
    if not path.exists():
        return None
    stored = json.loads(path.read_text())
    there = conditions(stored)
    for name, value in conditions(result).items():
        if there[name] != value:
            raise UserError(
                f"{path} was measured with {name} {there[name]}, not {value}: "
                "name another --output to start anew"
            )
    return stored


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def replace_section(path: str | os.PathLike, name: str, content: str) -> None:
    """Puts content between the markers of a section, in place of what is there.

    Args:
      path: of a Markdown page.
      name: of the section, from `<!-- begin NAME -->` to `<!-- end NAME -->`.
      content: Markdown.

    Raises:
      ValueError: the page has no such section.
    """
    path = pathlib.Path(path)
    page = path.read_text()
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, begun, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{path} has no section between {begin.strip()} and {end}")
    path.write_text(before + begin + "\n" + content.strip() + "\n\n" + end + after)
