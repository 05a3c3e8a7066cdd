import subprocess
import sys


def test_the_program_makes_a_set(tmp_path):
    output = tmp_path / "heads"
    flags = ["--count=2", "--test_count=1", "--validation_count=0", "--resolution=16"]
    result = subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.make_heads"]
        + [*flags, f"--output={output}"],
        capture_output=True,
        text=True,
        timeout=900,  # Long after it has surely hung.
    )
    assert result.returncode == 0, result.stderr
    assert f"--data_dir={output / 'train'}" in result.stdout
    assert len(list((output / "train").glob("*.png"))) == 2
