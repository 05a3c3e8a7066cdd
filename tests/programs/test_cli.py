import os
import subprocess
import sys

import pytest

PROGRAM = """
from absl import flags
from tf_unsup3d.programs import cli
from tf_unsup3d.errors import UserError

NAME = flags.DEFINE_string("name", "world", "Whom to greet.")
COUNT = flags.DEFINE_integer("count", 1, "How often.", lower_bound=1)
OUTPUT = flags.DEFINE_string("output", "here", "Where to greet.")
VOLUME = flags.DEFINE_float("volume", 1.0, "How loud.", lower_bound=0.0)


def main(argv):
    if NAME.value == "nobody":
        raise UserError("nobody there: --name=nobody")
    if NAME.value == "stop":
        raise KeyboardInterrupt
    if NAME.value == "locked":
        raise PermissionError(13, "Permission denied", "/root/photos")
    if NAME.value == "large":
        import tensorflow as tf
        raise tf.errors.ResourceExhaustedError(None, None, "OOM: shape[9]\\nmore")
    if NAME.value == "nan":
        import tensorflow as tf
        from tf_unsup3d.geometry.mesh import Mesh
        from tf_unsup3d.rendering import render_mesh
        vertices = tf.fill([1, 3, 3], float("nan"))
        mesh = Mesh([[0, 1, 2]])
        render_mesh(vertices, mesh, None, tf.ones([1, 3, 1]), height=4, width=4)
    if NAME.value == "bug":
        raise ValueError("a mistake in the program")
    for _ in range(COUNT.value):
        print(f"hello {NAME.value}")


cli.run(main)
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "greet.py"
    path.write_text(PROGRAM)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, path, *arguments],
            capture_output=True,
            text=True,
        )

    return run


def test_runs_with_its_flags(program):
    result = program("--name=you", "--count=2")
    assert result.returncode == 0
    assert result.stdout == "hello you\nhello you\n"
    assert result.stderr == ""


def test_user_error_is_one_line_and_exit_status_1(program):
    result = program("--name=nobody")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "error: nobody there: --name=nobody\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nmae=you"], "nmae"),
        (["--count=many"], "count"),
        (["--count=0"], "count"),
        (["--count"], "count"),
        (["--volume=nan"], "volume"),
        (["--volume=inf"], "volume"),
        (["--output="], "output"),
    ],
)
def test_bad_flag_is_named_without_traceback(program, arguments, named):
    result = program(*arguments)
    assert result.returncode == 1
    first = result.stderr.splitlines()[0]
    assert first.startswith("error: ") and named in first
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_leftover_argument_is_named(program):
    result = program("name=you")
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "'name=you'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("locked", "error: /root/photos: Permission denied\n"),
        (
            "large",
            "error: not enough memory; smaller batches or pictures take less: OOM: "
            "shape[9]\n",
        ),
        ("nan", "error: a number in the vertices of objects is not finite\n"),
    ],
)
def test_what_may_happen_anywhere_is_one_line(program, name, line):
    result = program(f"--name={name}")
    assert result.returncode == 1
    assert result.stderr == line


def test_interrupt_ends_without_traceback(program):
    result = program("--name=stop")
    assert result.returncode == 130
    assert "Traceback" not in result.stderr


def test_help_lists_the_flags(program):
    result = program("--help")
    assert "--name" in result.stdout and "Whom to greet." in result.stdout
    assert "Traceback" not in result.stderr


def test_mistake_in_a_program_keeps_its_traceback(program):
    result = program("--name=bug")
    assert result.returncode != 0
    assert "ValueError: a mistake in the program" in result.stderr


@pytest.mark.parametrize(("found", "left"), [(None, "1"), ("0", "0")])
def test_convolutions_are_left_to_onednn_unless_told_otherwise(found, left):
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": found}
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from tf_unsup3d.programs import cli\nimport os\n"
            "print(os.environ['TF_ENABLE_ONEDNN_OPTS'])",
        ],
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == left, result.stderr
