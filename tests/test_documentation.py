"""What the documentation tells a reader to type, read and set exists and fits."""

import ast
import dataclasses
import importlib.util
import inspect
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.data.prepare import prepare_pictures
from tf_unsup3d.trained import configuration
from tf_unsup3d.trained.configuration import Configuration

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MAKEFILE = (ROOT / "Makefile").read_text()
TEXTS = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("benchmarks/notes/*.md"),
    ]
}
# The changelog also names what is gone.
PAGES = sorted(TEXTS.keys() - {"CHANGELOG.md"})

# Programs that are no part of the project; what they are given is not checked.
OTHER_PROGRAMS = {
    *("cp", "curl", "export", "git", "gzip", "mkdir", "source"),
    *("tensorboard", "tensorflow_model_server", "xargs"),
}
# What readers bring along.
READERS_FILES = {
    *("photos", "photos_aside", "photo.jpg", "portraits", "gs://bucket/photos")
}
# Flags that name what must be there before, and flags that name what is made.
INPUT_FLAGS = {
    *("data_dir", "encoder", "head_model", "input", "model", "model_dir"),
    *("references", "scores", "truth_dir"),
}
OUTPUT_FLAGS = {"output", "references"}
# Folders of the checkout, in which a named file has to exist.
CHECKOUT = ("benchmarks/", "custom_ops/", "docs/", "gin_configs/", "tests/")

# Parses the command lines of a program, which are given as JSON, as absl does. A reason
# for each line follows, or null.
PARSE = """
import importlib, json, sys
from absl import flags
reasons = []
for module, lines in json.load(sys.stdin):
    before = set(flags.FLAGS)
    importlib.import_module(module)
    for line in lines:
        flags.FLAGS.unparse_flags()
        for name in set(flags.FLAGS) - before:
            flags.FLAGS[name].unparse()
        try:
            rest = flags.FLAGS([module, *line])[1:]
            reasons.append(f"unexpected {rest}" if rest else None)
        except flags.Error as error:
            reasons.append(str(error))
    for name in set(flags.FLAGS) - before:
        delattr(flags.FLAGS, name)
print(json.dumps(reasons))
"""


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of a page.

    Attributes:
      page: The page.
      words: The program and its arguments.
    """

    page: str
    words: tuple[str, ...]

    @property
    def module(self) -> str | None:
        """The module of this checkout that it runs, if it does."""
        program, *rest = self.words
        if program in PROJECT["scripts"]:
            return PROJECT["scripts"][program].partition(":")[0]
        if is_python(program) and rest[0] == "-m":
            return (
                rest[1] if (ROOT / f"{rest[1].replace('.', '/')}.py").exists() else None
            )
        return None

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of the program or module."""
        return self.words[3:] if is_python(self.words[0]) else self.words[1:]

    def flags(self) -> Iterator[tuple[str, str]]:
        """Names and values of the flags that are given as `--name=value`."""
        for argument in self.arguments:
            match = re.fullmatch(r"--(\w+)=(.*)", argument, re.DOTALL)
            if match:
                yield match[1], match[2]


def file_of(module: str) -> pathlib.Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def flags_of(module: str) -> set[str]:
    """Names of the flags that a program defines."""
    return set(re.findall(r"DEFINE_\w+\(\s*\"(\w+)\"", file_of(module).read_text()))


def is_python(program: str) -> bool:
    return re.fullmatch(r"(\.venv[\w-]*/bin/)?python(3(\.11)?)?", program) is not None


def blocks(page: str, language: str) -> list[str]:
    """The code of a page in a language, without its indentation."""
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^ *```", TEXTS[page], re.DOTALL | re.MULTILINE
    )
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found
    ]


def prose(page: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", TEXTS[page], flags=re.DOTALL | re.MULTILINE)


def split(code: str) -> list[tuple[str, ...]]:
    """The commands of shell code, without redirections and variables before them."""
    code = re.sub(r"(^|\s)# .*", r"\1", code.replace("\\\n", " "))
    words = shlex.shlex(code, posix=True, punctuation_chars=";|&>\n")
    words.whitespace, words.whitespace_split, words.commenters = " \t", True, ""
    commands: list[list[str]] = [[]]
    for word in words:
        if not word.strip(";|&\n"):
            commands.append([])
        else:
            commands[-1].append(word)
    found = []
    for command in commands:
        if ">" in command:
            del command[command.index(">") :]
        while command and re.match(r"[A-Z_]+=", command[0]):
            del command[0]
        if command:
            found.append(tuple(command))
    return found


COMMANDS = [
    Command(page, words)
    for page in PAGES
    for code in blocks(page, "sh")
    for words in split(code)
]
# Commands within sentences, which may be parts of whole ones.
MENTIONED = [
    Command(page, words)
    for page in PAGES
    for code in re.findall(r"`((?:unsup3d-|\w+=\S+ make |make )[^`]+)`", prose(page))
    for words in split(code.replace("\n", " "))
]


def test_commands_are_found():
    """So that the other tests check something."""
    assert split("A=1 b 'c\nd' | e  # f\ng \\\n  h > i") == [
        ("b", "c\nd"),
        ("e",),
        ("g", "h"),
    ]
    assert len(COMMANDS) > 60 and len(MENTIONED) > 20
    assert {command.words[0] for command in COMMANDS} >= set(PROJECT["scripts"])


def test_every_block_of_code_has_a_language_that_is_checked():
    for page in PAGES:
        fences = re.findall(r"^ *```(\w*)\n(.*?)^ *```", TEXTS[page], re.M | re.S)
        for language, code in fences:
            assert language in {"", "sh", "python", "bibtex"}, page
            if not language:
                first = code.split()[0]
                assert first not in {*PROJECT["scripts"], "pip", "make", "curl"}, page


def test_programs_take_the_arguments():
    lines: dict[str, list[Command]] = {}
    for command in COMMANDS:
        if command.words[0] in PROJECT["scripts"]:
            lines.setdefault(command.module, []).append(command)
    assert len(lines) > 8
    given = [
        [module, [c.arguments for c in commands]] for module, commands in lines.items()
    ]
    result = subprocess.run(
        [sys.executable, "-c", PARSE],
        input=json.dumps([*given, ["tf_unsup3d.programs.sample", [["--bad"]]]]),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    *reasons, of_wrong_line = json.loads(result.stdout)
    assert "Unknown command line flag 'bad'" in of_wrong_line
    commands = [command for each in lines.values() for command in each]
    for command, reason in zip(commands, reasons, strict=True):
        assert reason is None, f"{command}: {reason}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words[0])
def test_program_exists(command):
    program, *rest = command.words
    if program in PROJECT["scripts"]:
        return
    if command.module:
        check_module(command)
    elif is_python(program):
        check_python(rest)
    elif re.fullmatch(r"(\.venv[\w-]*/bin/)?pip", program):
        check_pip(rest)
    elif program == "make":
        check_make(rest)
    else:
        assert program in OTHER_PROGRAMS


def check_module(command: Command) -> None:
    """Checks the flags and the imports of a module that takes long to import."""
    for name, _ in command.flags():
        assert name in flags_of(command.module), command
    for node in ast.walk(ast.parse(file_of(command.module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("benchmarks."):
            file = file_of(node.module)
            folder = file.with_suffix("")
            for each in node.names:
                assert (folder / f"{each.name}.py").exists() or re.search(
                    rf"^(def |class )?{each.name}\b", file.read_text(), re.MULTILINE
                ), f"{command.module} imports {each.name} of {node.module}"


def check_python(arguments: list[str]) -> None:
    """Checks what an interpreter is given that runs no module of the checkout."""
    first, *rest = arguments
    if first == "-m":
        assert importlib.util.find_spec(rest[0]) is not None
    elif first == "-c":
        ast.parse(rest[0])
    else:
        script = (ROOT / first).read_text()
        for flag in re.findall(r"^--(\w+)", "\n".join(rest), re.MULTILINE):
            assert f'"--{flag}"' in script


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    for argument in arguments[1:]:
        match = re.fullmatch(r"tf-unsup3d(?:\[(.*)\])?", argument)
        if match and match[1]:
            assert set(match[1].split(",")) <= set(PROJECT["optional-dependencies"])
        if argument.startswith("requirements"):
            assert (ROOT / argument).is_file()


def check_make(arguments: list[str]) -> None:
    rules = MAKEFILE + (ROOT / "custom_ops/rasterizer/gpu_check.mk").read_text()
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if equals:
            assert re.search(rf"\b{name}\b", rules), argument
        elif not argument.startswith("-") and not argument.endswith(".mk"):
            assert re.search(rf"^{name}:", MAKEFILE, re.MULTILINE), argument


@pytest.mark.parametrize("page", PAGES)
def test_what_sentences_mention_exists(page):
    for command in (each for each in MENTIONED if each.page == page):
        program, *rest = command.words
        if program == "make":
            check_make(rest)
        else:
            assert program in PROJECT["scripts"], command
            for flag in re.findall(r"(?:^|\s)--(\w+)", " ".join(rest)):
                assert flag in {*flags_of(command.module), "help"}, command
    for extra in re.findall(r"tf-unsup3d\[([\w,]+)\]", TEXTS[page]):
        assert set(extra.split(",")) <= set(PROJECT["optional-dependencies"]), extra
    for name in re.findall(r"\bgin_configs/[\w/]+\.gin", TEXTS[page]):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("page", PAGES)
def test_named_files_are_there_or_made_before(page):
    """Or they are the reader's, or placeholders that the page explains."""
    made = {
        value
        for command in COMMANDS
        for name, value in command.flags()
        if name in OUTPUT_FLAGS or (trains(command) and name == "model_dir")
    }
    for command in (each for each in COMMANDS if each.page == page and each.module):
        for name, value in command.flags():
            if value.startswith(CHECKOUT):
                assert (ROOT / value).exists(), command
            if name not in INPUT_FLAGS or (trains(command) and name == "model_dir"):
                continue
            if value.startswith("pretrained:"):
                folder = ROOT / "tf_unsup3d" / "pretrained" / value.partition(":")[2]
                assert folder.is_dir(), command
            elif re.fullmatch(r"[A-Z_]+", value):
                assert re.search(rf"\b{value}\b", prose(page)), f"{value}: {command}"
            else:
                folders = [str(parent) for parent in pathlib.Path(value).parents]
                assert {value, *folders} & (made | READERS_FILES), f"{value}: {command}"


def trains(command: Command) -> bool:
    return command.words[0] == "unsup3d-train"


@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if "gin" in " ".join(each.words)],
    ids=lambda command: command.page,
)
def test_experiments_can_be_read(command):
    given = list(command.flags())
    files, bindings = (
        [value for name, value in given if name == wanted]
        for wanted in ("gin_configs", "gin_bindings")
    )
    Configuration.from_files([str(ROOT / name) for name in files], bindings)


@pytest.mark.parametrize(
    "page", sorted(set(PAGES) - {"benchmarks/notes/experiments.md"})
)
def test_parameters_exist(page):
    """Those that sentences name, and with their values where these are given."""
    known = set(
        re.findall(r"^(\w+\.\w+) =", Configuration.from_files([]).to_gin(), re.M)
    )
    objects = {
        "RandomLamps",
        "UniformViewpoints",
        "GaussianViewpoints",
        "PortraitViewpoints",
    }
    for name, member, value in re.findall(
        r"[`']([A-Z]\w+)\.([a-z]\w+)(?: = ([^`']+))?[`']", prose(page)
    ):
        if name in objects:
            owner = getattr(configuration, name)
            assert member in {*inspect.signature(owner).parameters, *vars(owner)}
        elif name in ("Trainer", "Generator", "Discriminator", "Renderer"):
            assert f"{name}.{member}" in known, f"{name}.{member}"
        if value:
            Configuration.from_files([], [f"{name}.{member} = {value}"])


def test_site_names_every_page():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in TEXTS:
        assert re.search(rf": {re.escape(page)}$", navigation, re.MULTILINE), page


@pytest.mark.parametrize("page", sorted(TEXTS))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
        if re.match(r"https?:", link):
            continue
        file, _, section = link.partition("#")
        target = ROOT / page if not file else (ROOT / page).parent / file
        assert target.is_file(), link
        if section:
            headings = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE)
            assert section in {anchor(heading) for heading in headings}, link


def anchor(heading: str) -> str:
    """The anchor of a heading on GitHub and on the site."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_python_is_right_and_imports_what_exists(page):
    for code in blocks(page, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                for name in node.names:
                    assert hasattr(module, name.name) or importlib.util.find_spec(
                        f"{node.module}.{name.name}"
                    )
            elif isinstance(node, ast.Import):
                for name in node.names:
                    importlib.import_module(name.name)


def test_a_trained_model_in_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session: dict = {}
    for code in blocks("docs/python.md", "python"):
        exec(code, session)
    assert session["wide"].shape == (3, 64, 64, 3)
    assert session["maps"]["normals"].shape == (3, 256, 256, 3)
    assert session["changed"].vertices.shape == session["halfway"].vertices.shape
    assert not np.allclose(session["changed"].vertices, session["halfway"].vertices)
    made = {path.suffix for path in tmp_path.iterdir()}
    assert made == {".glb", ".obj", ".mtl", ".png", ".ply"}


def test_prepared_pictures_are_written_as_files(tmp_path, monkeypatch):
    (code,) = blocks("docs/own_pictures.md", "python")
    photos = tmp_path / "photos"
    pictures = np.random.default_rng(0).integers(0, 256, [3, 16, 16, 3], np.uint8)
    photos.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(photos / f"{number}.png")
    prepare_pictures(photos, tmp_path / "aligned", 16, pictures_per_shard=2)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    for number, picture in enumerate(pictures):
        written = Image.open(tmp_path / "portraits" / f"{number:06d}.png")
        np.testing.assert_array_equal(np.asarray(written), picture)


def test_truth_about_heads_is_loaded(head_set, monkeypatch):
    (code,) = blocks("docs/heads.md", "python")
    monkeypatch.chdir(head_set.parent)
    session: dict = {}
    exec(code.replace('"heads"', f'"{head_set.name}"'), session)
    assert session["truth"].depth.shape == (5, 16, 16)


def test_a_head_model_is_converted(tmp_path, monkeypatch):
    (code,) = blocks("docs/head_models.md", "python")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    model = {
        "mean": rng.normal(size=[6, 3]),
        "components": rng.normal(size=[2, 6, 3]),
        "deviations": np.array([3.0, 2.0]),
        "triangles": np.array([[0, 1, 2]]),
        "eye_centres": rng.normal(size=[2, 3]),
        "nose_tip_index": 4,
    }
    exec(code, dict(model))
    written = np.load("head_model.npz")
    page = TEXTS["docs/head_models.md"]
    required = re.findall(
        r"^\| `(\w+)` \| (?!.*Optional|.*Required)", page, re.MULTILINE
    )
    assert set(required) == set(written) and len(required) == 5
    np.testing.assert_allclose(written["nose_tip"], model["mean"][4] * [1, -1, -1])
    assert written["basis"].shape == (2, 6, 3)
