"""What the README tells a reader to type works."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE
    )


def test_python_example_runs(tmp_path):
    (example,) = blocks("python")
    result = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    area, derivative = map(float, re.findall(r"\d+\.\d+", result.stdout))
    # A ball of radius r covers a disc of radius r / 2 of the picture's height, nearly.
    assert area == pytest.approx(0.25 * 3.1416 * 0.5**2, rel=0.05)
    assert derivative == pytest.approx(0.5 * 3.1416 * 0.5, rel=0.05)
    assert (tmp_path / "ball.png").stat().st_size > 1000


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"make ([a-z][\w-]*)", "".join(blocks("sh"))))
    targets.update(re.findall(r"`(?:\w+=\S+ )?make ([\w-]+)`", README))
    assert targets >= {"demo", "test", "venv", "test-tf215"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_programs_and_their_flags_exist():
    commands = "".join(blocks("sh")).replace("\\\n", " ")
    found = re.findall(r"unsup3d-([\w-]+)(.*)", commands)
    assert {name for name, _ in found} == {"prepare-data", "train", "sample"}
    for name, arguments in found:
        module = ROOT / "tf_unsup3d/programs" / f"{name.replace('-', '_')}.py"
        for flag in re.findall(r"--(\w+)", arguments):
            assert f'"{flag}"' in module.read_text(), (name, flag)


def test_linked_files_exist():
    for link in re.findall(r"\]\(([^)]+)\)", README):
        if not link.startswith("https:"):
            assert (ROOT / link).is_file(), link


def test_gin_files_exist():
    for name in re.findall(r"gin_configs/\w+\.gin", README):
        assert (ROOT / name).is_file(), name
