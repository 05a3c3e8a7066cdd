import subprocess
import sys


def test_a_mistake_gives_one_line():
    result = subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.build_head_model"]
        + ["--output=model.bin"],
        capture_output=True,
        text=True,
        timeout=900,  # Long after it has surely hung.
    )
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    assert lines == ["error: output must end in .npz, got model.bin"]
    assert "Traceback" not in result.stderr
