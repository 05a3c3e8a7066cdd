"""`unsup3d-prepare-data --strict`; tests/data has all else."""

import pytest
from PIL import Image

from tf_unsup3d.data.manifest import read_manifest
from tf_unsup3d.errors import UserError


def test_strict_stops_at_what_is_skipped_otherwise(run_in_process, tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(2):
        Image.effect_noise((24, 24), 90).save(photos / f"{index}.png")
    (photos / "notes.txt").write_text("no picture")
    flags = f"--input={photos}", "--resolution=16"
    strict, usual = tmp_path / "strict", tmp_path / "usual"
    with pytest.raises(UserError, match="notes.txt"):
        run_in_process("prepare_data", *flags, f"--output={strict}", "--strict")
    assert not list(strict.glob("*.tfrecord"))
    run_in_process("prepare_data", *flags, f"--output={usual}")
    assert read_manifest(usual).count == 2
    printed = capsys.readouterr().out
    assert printed.startswith(f"prepared 2 pictures of 16x16 in {usual}, 1 ")
    assert "skipped (see" in printed
