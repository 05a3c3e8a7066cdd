"""Training of an encoder and reconstruction as a user runs them."""

import json
import shutil
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import trimesh

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.reconstruction import calibration
from tf_unsup3d.reconstruction.encoder_training import make_encoder
from tf_unsup3d.reconstruction.flags import limits_on_card
from tf_unsup3d.trained import encoder_files, model_folder
from tf_unsup3d.trained.encoder_files import TrainedEncoder
from tf_unsup3d.trained.trained_model import load


def run(name, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"tf_unsup3d.programs.{name}", *arguments],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def published(small_run, tmp_path_factory):
    """A published generator without an encoder."""
    folder = tmp_path_factory.mktemp("published")
    model = load(small_run)
    model_folder.publish(folder, model.generator, model.configuration, model.card)
    return folder


@pytest.fixture(scope="module")
def photos(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    model = load(published)
    picture = to_uint8(model.draw(model.sample([3]), yaw_degrees=10.0)["picture"][0])
    PIL.Image.fromarray(picture).save(folder / "head.png")
    pixels = np.random.default_rng(0).integers(0, 256, [16, 16, 3]).astype(np.uint8)
    PIL.Image.fromarray(pixels).save(folder / "noise.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return folder


def test_from_a_generator_to_meshes(published, photos, tmp_path):
    encoder, output = tmp_path / "encoder", tmp_path / "out"
    trained = run(
        "train_encoder",
        f"--model_dir={published}",
        f"--output={encoder}",
        "--steps=20",
        "--held_out=16",
    )
    assert trained.returncode == 0, trained.stderr
    assert "an encoder of" in trained.stdout
    card = json.loads((encoder / "encoder.json").read_text())
    assert card["limits_from"] == {"source": "samples of the model", "pictures": 16}
    result = run(
        "reconstruct",
        f"--model_dir={published}",
        f"--encoder={encoder}",
        f"--input={photos}",
        f"--output={output}",
        "--residual",
    )
    assert result.returncode == 0, result.stderr
    assert "skipped broken.jpg: not a picture" in result.stderr
    assert "flagged noise.png: the fit differs from the picture" in result.stdout
    report = json.loads((output / "reconstruction.json").read_text())
    assert list(report["skipped"]) == ["broken.jpg"]
    assert report["steps"] == 100 and report["residual"] is True
    head, noise = report["pictures"]
    assert (head["name"], noise["name"]) == ("head.png", "noise.png")
    assert not noise["explained"]
    assert any(flag["measure"] == "error" for flag in noise["flags"])
    assert head["error"] < 0.25 * noise["error"]
    assert len(head["style"]) == 8 and head["seconds"] > 0.0
    assert set(head["viewpoint_degrees"]) == {"yaw", "pitch", "roll"}
    assert set(head["framing"]) == {"right", "down", "scale"}
    mesh = trimesh.load(output / head["files"]["mesh"], force="mesh")
    assert len(mesh.faces) == 8 * 4**2 and np.isfinite(mesh.vertices).all()
    with PIL.Image.open(output / head["files"]["sheet"]) as sheet:
        assert sheet.width > 11 * 96
    assert (output / head["files"]["video"]).stat().st_size > 1000


def test_limits_of_an_encoder_are_found_anew(
    published, photos, tmp_path, run_in_process
):
    folder = tmp_path / "with encoder"
    shutil.copytree(published, folder)
    model = load(folder)
    untrained = TrainedEncoder(make_encoder(model), {"steps": 0, "limits": {}})
    encoder_files.write_encoder(folder, untrained, model.generator)
    weights = (folder / encoder_files.WEIGHTS_NAME).read_bytes()
    many = tmp_path / "many"
    many.mkdir()
    for index in range(16):
        shutil.copyfile(photos / "noise.png", many / f"{index}.png")
    shutil.copyfile(photos / "broken.jpg", many / "broken.jpg")
    flags = [f"--model_dir={folder}", "--limits_only", "--held_out=16"]
    for more, source in (
        ([], "samples of the model"),
        ([f"--data_dir={many}"], "many"),
    ):
        run_in_process("train_encoder", *flags, *more)
        card = json.loads((folder / encoder_files.CARD_NAME).read_text())
        assert card["limits_from"] == {"source": source, "pictures": 16}
        assert set(card["limits"]) == {"0", "100"} and card["steps"] == 0
        assert (folder / encoder_files.WEIGHTS_NAME).read_bytes() == weights

    # Of the encoder in the folder that is written to, if there is one.
    output = tmp_path / "output"
    other = TrainedEncoder(make_encoder(model), {"steps": 7, "limits": {}})
    encoder_files.write_encoder(output, other, model.generator)
    weights = (output / encoder_files.WEIGHTS_NAME).read_bytes()
    run_in_process("train_encoder", *flags, f"--output={output}")
    card = json.loads((output / encoder_files.CARD_NAME).read_text())
    assert set(card["limits"]) == {"0", "100"} and card["steps"] == 7
    assert (output / encoder_files.WEIGHTS_NAME).read_bytes() == weights


def test_an_encoder_is_kept_although_its_limits_are_not_found(
    published, tmp_path, run_in_process, monkeypatch
):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "with_limits", interrupted)
    flags = [f"--model_dir={published}", f"--output={tmp_path}", "--steps=1"]
    with pytest.raises(KeyboardInterrupt):
        run_in_process("train_encoder", *flags)
    kept = encoder_files.read_encoder(tmp_path, load(published).generator)
    assert kept.card["steps"] == 1
    with pytest.raises(UserError, match="unsup3d-train-encoder --limits_only"):
        limits_on_card(kept.card, 0)


def test_where_nothing_can_be_written_nothing_is_trained(
    published, photos, run_in_process, monkeypatch
):
    def trained(*arguments, **more):
        raise AssertionError("trained")

    monkeypatch.setattr(calibration, "make_trained_encoder", trained)
    output = photos / "head.png" / "encoder"
    with pytest.raises(UserError, match="cannot write .*encoder: Not a directory"):
        run_in_process(
            "train_encoder", f"--model_dir={published}", f"--output={output}"
        )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "there is no encoder in"),
        (["--encoder=nowhere"], "there is no encoder in nowhere"),
        (["--model_dir=nowhere"], "no trained model in nowhere"),
        (["--residual", "--steps=0"], "--residual needs --steps of at least 1"),
    ],
)
def test_bad_input_is_one_line(
    published, photos, tmp_path, run_in_process, flags, message
):
    output = tmp_path / "out"
    arguments = [f"--model_dir={published}", f"--input={photos}", f"--output={output}"]
    with pytest.raises(UserError) as raised:
        run_in_process("reconstruct", *arguments, *flags)
    assert message in str(raised.value)
    assert not output.exists()


def test_an_encoder_is_not_written_into_the_package(run_in_process):
    with pytest.raises(UserError, match="--output is needed"):
        run_in_process("train_encoder", "--model_dir=pretrained:heads64", "--steps=1")


def test_an_encoder_of_a_checkpoint_is_where_it_is_looked_for(
    small_run, tmp_path, run_in_process
):
    shutil.copytree(small_run, tmp_path / "run")
    checkpoint = next((tmp_path / "run" / "checkpoints").glob("ckpt-*.npz"))
    flags = [f"--model_dir={checkpoint}", "--steps=1", "--held_out=16"]
    run_in_process("train_encoder", *flags)
    assert load(checkpoint).encoder.card["steps"] == 1
