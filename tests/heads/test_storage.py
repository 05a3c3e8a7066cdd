import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import exclusive
from tf_unsup3d.heads import storage
from tf_unsup3d.heads.model_file import HeadModelFile, write_head_model
from tf_unsup3d.heads.settings import HeadSetSettings
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.camera import PinholeCamera

SETTINGS = HeadSetSettings(
    count=5, validation_count=2, test_count=3, resolution=16, seed=4
)


@pytest.fixture(scope="module")
def head_set(tmp_path_factory):
    output = tmp_path_factory.mktemp("heads") / "set"
    made = []
    assert storage.make_head_set(output, SETTINGS, progress=made.append)
    assert sum(made) == 10
    return output


def files(folder):
    return sorted(
        path.relative_to(folder) for path in folder.rglob("*") if path.is_file()
    )


def read(path):
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        return np.asarray(picture)


def test_the_training_folder_holds_pictures_and_nothing_else(head_set):
    train = storage.picture_dir(head_set, "train")
    assert [path.name for path in files(train)] == [f"{i:06}.png" for i in range(5)]
    assert read(train / "000000.png").shape == (16, 16, 3)
    truth = {path.parent.name for path in head_set.rglob("*.npz")}
    assert truth == {"truth", "test"}


def test_truth_is_aligned_with_the_pictures(head_set):
    truth = storage.load_truth(head_set, "test")
    names = [path.name for path in files(storage.picture_dir(head_set, "test"))]
    assert truth.names == names == ["000000.png", "000001.png", "000002.png"]
    assert truth.depth.shape == truth.mask.shape == (3, 16, 16)
    assert truth.depth.dtype == truth.normals.dtype == np.float32
    assert truth.normals.shape == (3, 16, 16, 3)
    assert truth.viewpoints.shape == (3, 3)
    assert truth.coefficients.shape == (3, len(truth.coefficient_names))
    assert np.all((truth.depth > 10.0) == truth.mask)
    np.testing.assert_allclose(
        np.linalg.norm(truth.normals[truth.mask], axis=-1), 1.0, atol=2e-3
    )
    assert np.all(np.abs(np.degrees(truth.viewpoints)) <= [60.0, 15.0, 0.0])


def test_no_head_is_in_two_splits(head_set):
    rows = [
        row
        for split in ("validation", "test")
        for row in storage.load_truth(head_set, split).coefficients.tolist()
    ]
    assert len({tuple(row) for row in rows}) == 5
    pictures = [path.read_bytes() for path in head_set.rglob("*.png")]
    assert len(set(pictures)) == 10


def test_the_same_settings_give_the_same_bytes(head_set, tmp_path):
    storage.make_head_set(tmp_path, SETTINGS)
    assert files(tmp_path) == files(head_set)
    for path in files(head_set):
        assert (tmp_path / path).read_bytes() == (head_set / path).read_bytes(), path


def test_a_larger_set_begins_with_the_smaller_one(head_set, tmp_path):
    storage.make_head_set(tmp_path, dataclasses.replace(SETTINGS, count=7))
    for path in files(head_set / "train"):
        smaller, larger = head_set / "train" / path, tmp_path / "train" / path
        assert larger.read_bytes() == smaller.read_bytes()


def test_another_seed_gives_other_heads(head_set, tmp_path):
    settings = HeadSetSettings(
        count=1, validation_count=0, test_count=0, resolution=16, seed=5
    )
    storage.make_head_set(tmp_path, settings)
    other = (tmp_path / "train/000000.png").read_bytes()
    assert other != (head_set / "train/000000.png").read_bytes()
    assert not (tmp_path / "test").exists()


def test_an_interrupted_set_is_finished(head_set, tmp_path):
    def stop(made):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.make_head_set(tmp_path, SETTINGS, progress=stop)
    assert not json.loads((tmp_path / "heads.json").read_text())["complete"]
    (tmp_path / "train/000002.png").unlink(missing_ok=True)
    # As a killed program leaves them.
    (tmp_path / "train/.partial-0123.png").write_bytes(b"half")
    (tmp_path / "test/truth/.partial-0123.npz").write_bytes(b"half")
    assert storage.make_head_set(tmp_path, SETTINGS)
    assert files(tmp_path) == files(head_set)
    for path in files(head_set):
        assert (tmp_path / path).read_bytes() == (head_set / path).read_bytes(), path


def test_an_interrupted_start_is_taken_up_again(head_set, tmp_path, monkeypatch):
    output = tmp_path / "set"

    def stop(folder):
        if folder != output:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(storage, "remove_leftovers", stop)
        with pytest.raises(KeyboardInterrupt):
            storage.make_head_set(output, SETTINGS)
    assert any(output.iterdir())
    assert storage.make_head_set(output, SETTINGS)
    assert files(output) == files(head_set)


def test_an_unfinished_set_is_not_taken_for_a_finished_one(head_set, tmp_path):
    output = tmp_path / "set"
    shutil.copytree(head_set, output)
    path = output / "heads.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "complete": False}))
    for load in (
        lambda: storage.load_truth(output, "test"),
        lambda: storage.load_camera(output),
        lambda: storage.load_meshes(output),
    ):
        with pytest.raises(UserError, match=f"^{output} is unfinished: run the same"):
            load()
    assert storage.make_head_set(output, SETTINGS)
    assert len(storage.load_truth(output, "test").names) == 3


def test_a_complete_set_is_left_alone(head_set):
    before = {path: (head_set / path).stat().st_mtime_ns for path in files(head_set)}
    assert not storage.make_head_set(head_set, SETTINGS)
    after = {path: (head_set / path).stat().st_mtime_ns for path in files(head_set)}
    assert before == after


def test_only_one_program_makes_a_set(tmp_path):
    with (
        exclusive(tmp_path / "set"),
        pytest.raises(UserError, match="set is in use by another program"),
    ):
        storage.make_head_set(tmp_path / "set", SETTINGS)
    assert not list((tmp_path / "set").iterdir())


def test_another_set_is_refused(head_set):
    with pytest.raises(UserError, match="another set of heads.*seed 4 instead of 9"):
        storage.make_head_set(head_set, dataclasses.replace(SETTINGS, seed=9))


def test_the_camera_is_recorded(head_set, tmp_path):
    camera = PinholeCamera(0.3, principal_point=(0.4, 0.5))
    settings = HeadSetSettings(1, 0, 0, resolution=16)
    assert storage.make_head_set(tmp_path, settings, camera=camera)
    assert not storage.make_head_set(tmp_path, settings, camera=camera)
    with pytest.raises(UserError, match="another set of heads .another camera"):
        storage.make_head_set(tmp_path, settings)
    # Sets that do not name a camera have the default one.
    path = head_set / "heads.json"
    text = path.read_text()
    content = json.loads(text)
    assert PinholeCamera(**content.pop("camera")) == PinholeCamera()
    path.write_text(json.dumps(content))
    try:
        assert not storage.make_head_set(head_set, SETTINGS)
    finally:
        path.write_text(text)


def test_the_head_model_and_the_backgrounds_are_recorded(head_set, tmp_path):
    backgrounds = head_set / "train"
    model = tmp_path / "model.npz"
    with pytest.raises(UserError, match="cannot read .*model.npz"):
        storage.make_head_set(
            tmp_path / "set", dataclasses.replace(SETTINGS, head_model=str(model))
        )
    procedural = procedural_head_model(8)
    write_head_model(
        model,
        HeadModelFile(
            mean=procedural.shape.mean,
            basis=procedural.shape.basis[:2],
            triangles=procedural.triangles,
            eye_centres=np.array([[-0.2, -0.06, -0.4], [0.2, -0.06, -0.4]]),
            nose_tip=np.array([0.0, 0.2, -0.76]),
            regions=np.zeros((len(procedural.coordinates), 0)),
            region_names=(),
        ),
    )
    settings = HeadSetSettings(
        count=1,
        validation_count=0,
        test_count=1,
        resolution=16,
        head_model=str(model),
        backgrounds=str(backgrounds),
    )
    storage.make_head_set(tmp_path / "set", settings)
    stored = json.loads((tmp_path / "set/heads.json").read_text())["settings"]
    assert re.fullmatch(r"model.npz sha256:[0-9a-f]{64}", stored["head_model"])
    assert re.fullmatch(r"train sha256:[0-9a-f]{64}", stored["backgrounds"])
    truth = storage.load_truth(tmp_path / "set", "test")
    assert "shape/component_01" in truth.coefficient_names
    model.rename(tmp_path / "other.npz")
    moved = dataclasses.replace(settings, head_model=str(tmp_path / "other.npz"))
    with pytest.raises(UserError, match="head_model model.npz .* instead of other.npz"):
        storage.make_head_set(tmp_path / "set", moved)


def test_bad_backgrounds_do_not_keep_a_set_from_being_finished(head_set, tmp_path):
    backgrounds = tmp_path / "backgrounds"
    shutil.copytree(storage.picture_dir(head_set, "train"), backgrounds)
    (backgrounds / "000001.png").write_bytes(b"broken")
    Image.new("RGB", (8, 8)).save(backgrounds / "icon.png")
    settings = dataclasses.replace(SETTINGS, backgrounds=str(backgrounds))
    assert storage.make_head_set(tmp_path / "set", settings)
    assert not storage.make_head_set(tmp_path / "set", settings)
    (tmp_path / "set/train/000003.png").rename(tmp_path / "before.png")
    description = tmp_path / "set/heads.json"
    content = json.loads(description.read_text())
    description.write_text(json.dumps({**content, "complete": False}))
    assert storage.make_head_set(tmp_path / "set", settings)
    again = (tmp_path / "set/train/000003.png").read_bytes()
    assert again == (tmp_path / "before.png").read_bytes()


def test_a_folder_without_backgrounds_is_refused_before_anything_is_written(tmp_path):
    backgrounds = tmp_path / "backgrounds"
    backgrounds.mkdir()
    Image.new("RGB", (8, 8)).save(backgrounds / "icon.png")
    settings = dataclasses.replace(SETTINGS, backgrounds=str(backgrounds))
    with pytest.raises(UserError, match=f"^no backgrounds in {backgrounds}: none of"):
        storage.make_head_set(tmp_path / "set", settings)
    assert not (tmp_path / "set").exists()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        storage.make_head_set(tmp_path, SETTINGS)
    with pytest.raises(UserError, match="not a folder"):
        storage.make_head_set(tmp_path / "notes.txt", SETTINGS)
    with pytest.raises(UserError, match="cannot write"):
        storage.make_head_set(tmp_path / "notes.txt" / "heads", SETTINGS)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"{", " is not JSON"),
        (b"\xff", " is not UTF-8 text"),
        (b"[]", " does not hold a JSON object"),
        (b'{"settings": ' * 100_000, " nests its values too deeply"),
        (b"{}", ": settings is missing"),
        (b'{"settings": {}}', ": complete is missing"),
        (b'{"settings": [], "complete": true}', r": settings is \[\], not an object"),
        (b'{"settings": null, "complete": true}', ": settings is None, not an"),
        (b'{"settings": {}, "complete": "yes"}', ": complete is 'yes', not true or"),
        (b'{"settings": {}, "complete": 1}', ": complete is 1, not true or false"),
        (b'{"settings": {}, "complete": NaN}', ": complete is nan, not true or"),
    ],
)
def test_a_damaged_description_is_named(tmp_path, content, fault):
    (tmp_path / "heads.json").write_bytes(content)
    with pytest.raises(UserError, match=f"^{tmp_path / 'heads.json'}{fault}") as error:
        storage.make_head_set(tmp_path, SETTINGS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"), [("count", "5"), ("seed", None), ("yaw_range", float("nan"))]
)
def test_a_description_with_wrong_settings_is_another_set(tmp_path, name, value):
    settings = SETTINGS.description() | {name: value}
    content = {"settings": settings, "complete": True}
    (tmp_path / "heads.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"another set of heads \\({name} {value} ins"):
        storage.make_head_set(tmp_path, SETTINGS)


def test_a_bad_head_model_is_refused_before_anything_is_written(tmp_path):
    model = tmp_path / "model.npz"
    np.savez(model, mean=np.zeros((4, 3)))
    settings = dataclasses.replace(SETTINGS, head_model=str(model))
    with pytest.raises(UserError, match=f"^{model}: basis is missing$"):
        storage.make_head_set(tmp_path / "heads", settings)
    assert not (tmp_path / "heads").exists()


def test_what_cannot_be_written_is_named(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(UserError, match="^cannot write .*png: No space left on device"):
        storage.make_head_set(tmp_path, SETTINGS)


def test_camera_of_a_set(tmp_path):
    assert storage.load_camera(tmp_path) == PinholeCamera()
    camera = PinholeCamera(field_of_view=0.5)
    settings = HeadSetSettings(1, validation_count=0, test_count=0, resolution=16)
    storage.make_head_set(tmp_path / "set", settings, camera=camera)
    assert storage.load_camera(tmp_path / "set") == camera
    path = tmp_path / "set" / storage.DESCRIPTION_NAME
    for damage in (3, {"field_of_view": "wide"}, {"lens": 1.0}, {"pose": []}):
        path.write_text(json.dumps({"camera": damage}))
        with pytest.raises(UserError, match=r"heads\.json: camera is not a camera"):
            storage.load_camera(tmp_path / "set")


@pytest.mark.parametrize(
    ("key", "change", "fault"),
    [
        ("names", None, "is missing"),
        ("names", lambda names: names[:1], r"has shape \[1\], not \[3\]"),
        ("names", lambda names: np.arange(3), "is int64, not strings"),
        ("names", lambda names: names.astype("S"), "not strings"),
        (
            "names",
            lambda names: np.array(["a", "b", "../../x.png"]),
            "holds 'a', which",
        ),
        ("depth", None, "is missing"),
        (
            "depth",
            lambda depth: depth[0],
            r"has shape \[16, 16\], not \[any, any, any\]",
        ),
        ("depth", lambda depth: depth + np.nan, "holds numbers that are not finite"),
        ("depth", lambda depth: depth.astype("U"), "not numbers"),
        ("depth", lambda depth: 0.0 * depth, "is not positive in the mask"),
        ("normals", None, "is missing"),
        ("normals", lambda normals: normals[..., :2], r"not \[3, 16, 16, 3\]"),
        ("mask", lambda mask: mask[:, 1:], r"has shape \[3, 15, 16\], not"),
        ("mask", lambda mask: mask.astype("f4"), "is float32, not true or false"),
        ("viewpoints", lambda viewpoints: viewpoints[:2], r"has shape \[2, 3\], not"),
        ("viewpoints", lambda viewpoints: viewpoints * 1j, "is complex64, not numbers"),
        ("coefficients", lambda values: values[:, 1:], "has shape"),
        ("coefficient_names", None, "is missing"),
        ("coefficient_names", lambda names: names[None], "has shape"),
    ],
)
def test_damaged_truth_is_named(head_set, tmp_path, key, change, fault):
    with np.load(head_set / "test/truth/000000.npz") as file:
        arrays = dict(file)
    value = arrays.pop(key)
    if change:
        arrays[key] = change(value)
    path = tmp_path / "test/truth/000000.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, **arrays)
    with pytest.raises(UserError, match=fault) as error:
        storage.load_truth(tmp_path, "test")
    message = str(error.value)
    assert message.startswith(f"{path}: {key} ") and "\n" not in message


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"text",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-30],
        lambda content: content[:90] + bytes(200) + content[290:],
        lambda content: content.replace(b"\x08\x00", b"\x63\x00"),
    ],
)
def test_truth_that_is_no_npz_file_is_named(head_set, tmp_path, damage):
    path = tmp_path / "test/truth/000000.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(damage((head_set / "test/truth/000000.npz").read_bytes()))
    with pytest.raises(UserError, match=f"^{path} is not an .npz file") as error:
        storage.load_truth(tmp_path, "test")
    assert "\n" not in str(error.value)


def test_truth_of_another_set_is_named(head_set, tmp_path):
    other = dataclasses.replace(SETTINGS, count=1, resolution=32)
    storage.make_head_set(tmp_path, other)
    added = tmp_path / "test/truth/000064.npz"
    added.write_bytes((head_set / "test/truth/000000.npz").read_bytes())
    with pytest.raises(UserError, match=f"^{added} does not belong to the same set as"):
        storage.load_truth(tmp_path, "test")


def test_normals_are_read_on_demand(head_set, tmp_path):
    with np.load(head_set / "test/truth/000000.npz") as file:
        arrays = {**file, "normals": np.zeros(3)}
    path = tmp_path / "test/truth/000000.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, **arrays)
    truth = storage.load_truth(tmp_path, "test", normals=False)
    assert truth.normals is None
    np.testing.assert_array_equal(truth.depth, arrays["depth"])
    with pytest.raises(UserError, match="normals has shape"):
        storage.load_truth(tmp_path, "test")


@pytest.mark.parametrize(
    "name, value",
    [
        ("count", 0),
        ("test_count", -1),
        ("seed", -1),
        ("resolution", 48),
        ("resolution", 1024),
        ("yaw_range", -1.0),
        ("yaw_range", float("nan")),
        ("pitch_range", 91.0),
    ],
)
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(UserError, match=name):
        dataclasses.replace(SETTINGS, **{name: value})


def test_missing_truth_is_named(head_set, tmp_path):
    with pytest.raises(UserError, match="holds no truth"):
        storage.load_truth(tmp_path, "test")
    with pytest.raises(UserError, match="holds no truth"):
        storage.load_truth(head_set, "train")
