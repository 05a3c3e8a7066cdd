"""Finding faces in photographs, made here of the pretrained generator's faces."""

import csv
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.photographs import drawn_faces, paste, scene
from tf_unsup3d.data import face_detection, pictures, prepare
from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.data.alignment import FacePoints, Square
from tf_unsup3d.data.face_detection import Face, FaceDetector
from tf_unsup3d.data.portraits import cut_out_portraits
from tf_unsup3d.errors import UserError

RESOLUTION = 64


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture(scope="module")
def faces():
    """Four pictures of faces, 256 x 256."""
    return drawn_faces(4)


@pytest.fixture(scope="module")
def squares(faces, detector):
    """The square around the face in each of the pictures."""
    found = [detector.find(face) for face in faces]
    assert [len(each) for each in found] == [1, 1, 1, 1]
    return [each[0].square for each in found]


def square_inside(place, square):
    """Where a square of a picture of 256 x 256 is after the picture was pasted."""
    centre = place.points(*(np.array(square.centre) / 256.0))
    side = square.side * place.side / 256.0
    return Square(tuple(centre), side, place.angle + square.angle)


def assert_close(found, expected):
    assert math.dist(found.centre, expected.centre) < 0.03 * expected.side
    assert found.side == pytest.approx(expected.side, rel=0.06)
    assert found.angle == pytest.approx(expected.angle, abs=4)


@pytest.mark.parametrize(
    ("size", "place"),
    [
        ((700, 500), Square((300, 250), 180, 0)),
        ((500, 700), Square((250, 400), 300, 25)),
        ((900, 900), Square((420, 500), 500, -35)),
        ((2000, 1500), Square((1400, 600), 400, 10)),
        # Reaches beyond two borders.
        ((600, 600), Square((80, 130), 300, -10)),
    ],
)
def test_the_face_comes_back(faces, squares, detector, size, place):
    photograph = scene(*size)
    paste(photograph, faces[0], place)
    (face,) = detector.find(photograph)
    assert_close(face.square, square_inside(place, squares[0]))
    (portrait,) = cut_out_portraits(photograph, RESOLUTION, detector)
    pixels = portrait.pixels
    assert pixels.shape == (RESOLUTION, RESOLUTION, 3) and pixels.dtype == np.uint8
    # In the portrait, the face is where its square says.
    (again,) = detector.find(Image.fromarray(pixels))
    assert_close(again.square, Square((32.0, 32.0), 64.0, 0.0))


def test_small_pictures_are_searched_too(faces, detector):
    (face,) = detector.find(faces[1].resize((64, 64), Image.Resampling.LANCZOS))
    left, top, right, bottom = face.box
    assert -6 < left < face.points.left_eye[0] < face.points.right_eye[0] < right < 70
    assert -6 < top < face.points.nose[1] < face.points.left_mouth[1] < bottom < 70


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (9000, 4), (300, 200)])
def test_no_face(detector, size):
    with pytest.raises(pictures.BadPictureError, match="no face found"):
        cut_out_portraits(scene(*size), RESOLUTION, detector)


def test_noise_is_no_face(detector):
    assert detector.find(Image.effect_noise((500, 500), 90).convert("RGB")) == []


def test_crowds_are_searched_in_bounded_memory(faces, detector, monkeypatch):
    compared = []
    original = face_detection._without_overlap

    def watch(boxes, overlap):
        kept = original(boxes, overlap)
        compared.append((len(boxes), len(kept)))
        return kept

    monkeypatch.setattr(face_detection, "_without_overlap", watch)
    monkeypatch.setattr(face_detection, "_MOST_CANDIDATES", 40)
    photograph = scene(480, 480)
    for index in range(16):
        corner = (index % 4 * 120, index // 4 * 120)
        photograph.paste(faces[index % 4].resize((120, 120)), corner)
    detector._detect(photograph, 20)
    assert max(given for given, _ in compared) > 40
    assert max(kept for _, kept in compared) == 40


class Finding:
    """A detector that finds given faces."""

    def __init__(self, *points):
        self._faces = [Face((0, 0, 1, 1), 1.0, each) for each in points]

    def find(self, image):
        return self._faces


def test_faces_that_are_turned_away_or_too_small_have_no_portrait():
    def points(scale, nose):
        given = [[-10, 0], [10, 0], [nose, 10], [-8, 22], [8, 22]]
        return FacePoints(*((50 + scale * x, 50 + scale * y) for x, y in given))

    detector = Finding(points(1, 9), points(1, 11), points(1, -11), points(0.3, 0))
    found = cut_out_portraits(Image.new("RGB", (100, 100)), 64, detector)
    turned = "turned away: the tip of the nose is not between the eyes"
    small = (
        "too small: its square has a side of 24 pixels, which must be at least 32 for "
        "resolution 64"
    )
    assert [portrait.reason for portrait in found] == ["", turned, turned, small]
    assert [portrait.pixels is None for portrait in found] == [0, 1, 1, 1]


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def prepared(faces, tmp_path_factory):
    """Photographs with what happens to them, and the folder prepared from them."""
    source = tmp_path_factory.mktemp("photographs") / "photographs"
    source.mkdir()
    places = {
        "group.png": [
            Square((150, 150), 220, 10),
            Square((500, 170), 300, -15),
            # Found, but its square is below 64 pixels.
            Square((330, 380), 60, 0),
        ],
        "rotated.jpg": [Square((200, 160), 240, 0)],
    }
    photographs = {}
    for name, given in places.items():
        photographs[name] = scene(700, 450)
        for face, place in zip(faces, given, strict=False):
            paste(photographs[name], face, place)
    photographs["group.png"].save(source / "group.png")
    # As a camera held on its head stores it.
    exif = Image.Exif()
    exif[0x0112] = 3
    photographs["rotated.jpg"].rotate(180).save(source / "rotated.jpg", exif=exif)
    scene(300, 300).save(source / "view.png")
    (source / "notes.txt").write_text("no picture")
    output = source.parent / "prepared"
    command = [sys.executable, "-m", "tf_unsup3d.programs.prepare_data"]
    flags = [f"--input={source}", f"--output={output}", "--resolution=128"]
    result = subprocess.run(
        [*command, *flags, "--align=faces"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "prepared 3 pictures of 128x128 in " in result.stdout
    assert "3 files or faces skipped (see " in result.stdout
    # Nothing but the progress bar, although each worker imports TensorFlow.
    lines = filter(str.strip, re.split(r"[\r\n]", result.stderr))
    assert {line.split(":")[0] for line in lines} == {"preparing"}
    return source, output, manifests.read_manifest(output), places


def test_each_face_becomes_a_picture_that_can_be_traced(prepared, squares):
    _, output, manifest, places = prepared
    rows = read_table(output / "faces.csv")
    assert manifest.count == 3 and manifest.align == "faces"
    assert [row["picture"] for row in rows] == ["0", "1", "2"]
    files = [(row["path"], row["face"]) for row in rows]
    assert files == [("group.png", "1"), ("group.png", "2"), ("rotated.jpg", "1")]
    group, (rotated,) = places.values()
    for row, place, square in zip(
        rows,
        [group[1], group[0], rotated],
        [squares[1], squares[0], squares[0]],
        strict=True,
    ):
        found = Square(
            (float(row["centre_x"]), float(row["centre_y"])),
            float(row["side"]),
            float(row["angle"]),
        )
        assert_close(found, square_inside(place, square))
        assert float(row["left"]) < found.centre[0] < float(row["right"])
        assert float(row["top"]) < found.centre[1] < float(row["bottom"])
        assert 0.9 <= float(row["score"]) <= 1.0


def test_what_is_skipped_is_named_with_its_reason(prepared):
    _, output, manifest, _ = prepared
    rows = read_table(output / "skipped.csv")
    reasons = {row["path"]: row["reason"] for row in rows}
    assert manifest.skipped == len(rows) == 3
    assert reasons["group.png"].startswith("face 3 of 3: too small: its square has")
    assert reasons["view.png"] == "no face found"
    assert reasons["notes.txt"].startswith("not a picture")


def test_another_alignment_is_refused(prepared):
    source, output, manifest, _ = prepared
    again, done_now = prepare.prepare_pictures(source, output, 128, align="faces")
    assert again == manifest and not done_now
    with pytest.raises(UserError, match="prepared with --align=faces, not none; "):
        prepare.prepare_pictures(source, output, 128)
    with pytest.raises(UserError, match="3 files or faces were skipped, see "):
        prepare.prepare_pictures(source, output, 128, align="faces", strict=True)


def test_an_unknown_alignment(tmp_path):
    with pytest.raises(ValueError, match="align is 'cats'"):
        prepare.prepare_pictures(tmp_path, tmp_path / "output", 64, align="cats")


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    message = "needs the package mtcnn: pip install 'tf-unsup3d"
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(UserError, match=message):
        prepare.prepare_pictures(tmp_path, tmp_path.parent / "o", 64, align="faces")
    with pytest.raises(UserError, match=message):
        FaceDetector()
    assert prepare.prepare_pictures(tmp_path, tmp_path.parent / "o", 64)[1]


def test_worker_processes_import_the_detector_only_when_needed():
    code = "import sys, tf_unsup3d.data.portraits; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    modules = result.stdout.split()
    assert "tf_unsup3d.data.face_detection" in modules, result.stderr
    assert not {"mtcnn", "tensorflow"} & set(modules)


def test_photographs_of_people(request, detector):
    """With --portraits: each photograph shows a face, and portraits stay the same."""
    folder = request.config.getoption("portraits")
    if not folder:
        pytest.skip("needs --portraits")
    read = pictures.open_source(folder)
    for file in pictures.list_files(folder):
        image = pictures.load_whole_picture(read(file.name))
        for portrait in cut_out_portraits(image, 256, detector):
            if portrait.pixels is not None:
                again = detector.find(Image.fromarray(portrait.pixels))[0].square
                assert_close(again, Square((128.0, 128.0), 256.0, 0.0))
