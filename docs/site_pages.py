"""A hook of MkDocs: which files the site shows, and the pages of its reference.

Files stand on the site where they stand in the checkout, so that the links between them
work in both places.
"""

import ast
import pathlib
import tomllib
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tf_unsup3d"
_FILES = (
    "*.md",
    "CITATION.cff",
    "LICENSE",
    "docs/*.md",
    "docs/figures/*.gif",
    "docs/figures/*.jpg",
    "docs/figures/*.png",
    "benchmarks/notes/*.md",
    "notebooks/*.ipynb",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replaces the files of the folder docs by those of the site."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for pattern in _FILES:
        for path in sorted(ROOT.glob(pattern)):
            place = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, place, abs_src_path=str(path)))
    for name, text in _reference_pages().items():
        place = f"docs/reference/{name}.md"
        files.append(File.generated(config, place, content=text))
    return files


def _reference_pages() -> dict[str, str]:
    """The text of each page of the reference, by its name."""
    pages = {
        folder.name: _package(folder)
        for folder in sorted(PACKAGE.iterdir())
        if (folder / "__init__.py").is_file() and folder.name != "programs"
    }
    return pages | {"tf_unsup3d": _public_names(), "programs": _programs()}


def _package(folder: pathlib.Path) -> str:
    """Asks mkdocstrings for the docstrings of all modules of a package."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted(folder.rglob("*.py"))
        if path != folder / "__init__.py"
    ]
    parts = [
        f"# {folder.name}",
        f"::: tf_unsup3d.{folder.name}\n    options:\n      members: false",
    ]
    for module in modules:
        module = module.removesuffix(".__init__")
        title = module.removeprefix("tf_unsup3d.")
        parts += [f"## {title}", f"::: {module}\n    options:\n      heading_level: 3"]
    return "\n\n".join(parts)


def _public_names() -> str:
    """The names that `import tf_unsup3d` gives, with links to their descriptions."""
    tree = _parse(PACKAGE / "__init__.py")
    modules = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and _name(node.targets[0]) == "_MODULES"
    )
    lines = [
        "# Public names\n",
        "`import tf_unsup3d` gives these names. TensorFlow is imported when one of "
        "them is first used.\n",
        "| name | what it is |",
        "|---|---|",
    ]
    for name, module in sorted(modules.items()):
        target = f"tf_unsup3d.{module}.{name}"
        path = PACKAGE / f"{module.replace('.', '/')}.py"
        described = next(
            node
            for node in _parse(path).body
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
        )
        summary = (ast.get_docstring(described) or "").split("\n\n")[0]
        lines.append(f"| [`{name}`][{target}] | {' '.join(summary.split())} |")
    return "\n".join(lines)


def _programs() -> str:
    """What each program does, and its flags."""
    parts = [
        "# Programs\n\nEach program lists the same with `--help`. A flag without a "
        "default that is not required may be left out. Of a flag that is on or off, "
        "`--no` before its name turns it off."
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for script in sorted(project["scripts"]):
        stem = script.removeprefix("unsup3d-").replace("-", "_")
        tree = _parse(PACKAGE / "programs" / f"{stem}.py")
        flags = [
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _name(node.value.func).startswith("DEFINE_")
        ]
        summary, _, details = (ast.get_docstring(tree) or "").partition("\n\n")
        parts.append(f"## {script}\n\n{summary}\n\n```text\n{details}\n```")
        rows = ["| flag | default | meaning |", "|---|---|---|", *map(_flag_row, flags)]
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _flag_row(flag: ast.Call) -> str:
    """The row of the table for a call of `flags.DEFINE_...`."""
    name, default, *choices, meaning = (_value(argument) for argument in flag.args)
    options = {each.arg: _value(each.value) for each in flag.keywords}
    if options.get("required"):
        default = "required"
    elif default is None or default == []:
        default = ""
    else:
        default = f"`{str(default).lower() if isinstance(default, bool) else default}`"
    if choices and isinstance(choices[0], list):
        meaning += f" One of {', '.join(f'`{each}`' for each in choices[0])}."
    meaning = " ".join(meaning.split()).replace("|", "\\|")
    return f"| `--{name}` | {default} | {meaning} |"


def _value(node: ast.expr) -> Any:
    """The value of an expression, or its text if only running it tells the value."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return ast.unparse(node).rpartition(".")[2]


def _parse(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))
