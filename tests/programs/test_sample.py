"""Samples as a user asks for them."""

import gc
import sys
import weakref

import pytest
import trimesh
from PIL import Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.export import samples
from tf_unsup3d.trained.trained_model import load

FORMATS = ("ply", "usdz")


@pytest.fixture
def run(run_in_process):
    def run(model_dir, output, *arguments):
        folders = f"--model_dir={model_dir}", f"--output={output}"
        run_in_process("sample", *folders, *arguments)

    return run


def test_gallery_and_videos(small_run, tmp_path, run):
    run(
        small_run,
        tmp_path,
        "--seeds=0-1",
        "--resolution=16",
        "--gallery",
        "--video=turntable,mix",
        "--video_format=png",
    )
    page = (tmp_path / "gallery.html").read_text()
    assert page.count("<model-viewer src=") == 2
    assert "seed 0" in page and "seed 1" in page
    for name, size in (("turntable", (32, 16)), ("mix", (32, 32))):
        frames = sorted((tmp_path / name).iterdir())
        assert len(frames) == 48
        with Image.open(frames[7]) as frame:
            assert frame.size == size


def test_video_in_one_file(small_run, tmp_path, run):
    run(
        small_run,
        tmp_path,
        "--seeds=0-1",
        "--resolution=16",
        "--video=interpolation",
        "--interpolation_space=z",
    )
    with Image.open(tmp_path / "interpolation.gif") as video:
        assert video.n_frames == 48


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--video=spin"], "--video: 'spin' is none of turntable"),
        (["--video=interpolation", "--seeds=3"], "needs at least two seeds"),
        (["--video=mix", "--seeds=0-20"], "takes at most 12 seeds"),
        (["--video=turntable", "--count=257"], "show at most 256 samples"),
        (["--gallery", "--count=257"], "show at most 256 samples"),
        (["--count=3", "--seeds=0-2"], "--count and --seeds exclude each other"),
        (["--formats=glb,stl"], "--formats: 'stl' is none of glb, obj, ply, usdz"),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_written(
    small_run, tmp_path, run, arguments, message
):
    with pytest.raises(UserError, match=message):
        run(small_run, tmp_path, *arguments)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_for_videos_is_named_first(
    small_run, tmp_path, run, monkeypatch
):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(UserError, match=r"pip install 'tf-unsup3d\[video\]'"):
        run(small_run, tmp_path, "--video=turntable", "--video_format=mp4")
    assert not list(tmp_path.iterdir())


def test_formats(small_run, tmp_path, run):
    run(small_run, tmp_path, "--count=2", "--formats=ply,usdz")
    names = {path.name for path in tmp_path.glob("mesh*")}
    assert names == {f"mesh_000{i}.{suffix}" for i in (0, 1) for suffix in FORMATS}
    mesh = trimesh.load_mesh(tmp_path / "mesh_0001.ply")
    assert len(mesh.faces) == len(load(small_run).mesh.triangles)


def test_memory_does_not_grow_with_the_number_of_samples(
    small_run, tmp_path, monkeypatch
):
    """Objects are written, and forgotten, before the next ones are made."""
    model = load(small_run)
    scenes, most, written = [], [], []
    sample = model.sample

    def counted(seeds, truncation_psi):
        gc.collect()
        written.append(len(list(tmp_path.glob("mesh*.glb"))))
        scene = sample(seeds, truncation_psi)
        scenes.append(weakref.ref(scene.vertices))
        most.append(sum(each() is not None for each in scenes))
        return scene

    monkeypatch.setattr(model, "sample", counted)
    monkeypatch.setattr(samples, "BATCH_SIZE", 2)
    samples.write_samples(model, tmp_path, range(7), mesh_suffixes=(".glb",))
    assert written == [0, 2, 4, 6]
    # The one before lives until the next one takes its name.
    assert max(most) <= 2
    assert len(list(tmp_path.glob("picture*.png"))) == 7
