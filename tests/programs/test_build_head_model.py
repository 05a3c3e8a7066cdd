import subprocess
import sys

import pytest


def build(*flags):
    return subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.build_head_model", *flags],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        (["--source=none.whl", "--output=model.npz"], "none.whl does not exist"),
        (["--output=model.bin"], "output must end in .npz, got model.bin"),
    ],
)
def test_a_mistake_gives_one_line(flags, fault):
    result = build(*flags)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    assert lines == [f"error: {fault}"]
    assert "Traceback" not in result.stderr
