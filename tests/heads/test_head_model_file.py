import dataclasses

import numpy as np
import pytest

from tests.head_models import SHIFT, content
from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.edges import boundary_edges
from tf_unsup3d.heads.landmarks import NOSE_TIP_Z, SCALE
from tf_unsup3d.heads.linear_heads import load_head_model
from tf_unsup3d.heads.model_file import read_head_model, write_head_model
from tf_unsup3d.heads.parameters import coefficients, sample_head
from tf_unsup3d.heads.render import render_heads
from tf_unsup3d.heads.shape import procedural_head_model


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.npz"
    np.savez(path, **content())
    return path


@pytest.fixture(scope="module")
def model(path):
    return load_head_model(path)


def damaged(tmp_path, **changes):
    """A file with some keys changed, or left out where the value is None."""
    path = tmp_path / "bad.npz"
    arrays = content() | changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_eyes_and_nose_come_to_their_places_whatever_the_unit(model):
    procedural = procedural_head_model(16)
    nearest = np.linalg.norm(
        model.coordinates[:, None] - procedural.shape.mean[None] / SCALE, axis=-1
    ).argmin(-1)
    assert model.coordinates[:, 2].min() == pytest.approx(NOSE_TIP_Z, abs=0.03)
    assert len(np.unique(nearest)) > 0.8 * len(nearest)
    radius = np.sqrt(np.mean(np.sum(model.shape.mean**2, -1)))
    assert 0.55 < radius < 0.75


def test_the_neck_is_cut_level_and_closed(model):
    # Vertices at one place count as one: the lid has a rim of its own.
    _, same = np.unique(model.shape.mean, axis=0, return_inverse=True)
    assert not len(boundary_edges(same[model.triangles]))
    assert model.coordinates[:, 1].max() == pytest.approx(0.74, abs=1e-5)
    corners = model.shape.mean[model.triangles].astype(np.float64)
    assert np.linalg.det(corners).sum() > 0.0
    assert model.triangles.max() == len(model.coordinates) - 1


def test_shapes_are_linear_with_the_neck_closed_in_each(model):
    a, b = np.eye(5)[:2]
    mean = model.shape.mean
    both = model.shape.vertices(a + b) - mean
    one = model.shape.vertices(a) - mean
    other = model.shape.vertices(b) - mean
    np.testing.assert_allclose(both, one + other, atol=1e-5)
    assert np.abs(one).max() > 0.005


def test_the_skull_has_no_ears(model):
    widest = np.abs(model.shape.mean[:, 0]).max()
    assert np.abs(model.skull.mean[:, 0]).max() < widest - 0.03
    crown = model.shape.mean[:, 1].argmin()
    np.testing.assert_allclose(
        model.skull.mean[crown], model.shape.mean[crown], atol=0.03
    )


def test_a_head_of_a_file_is_drawn_with_its_truth(model):
    heads = [sample_head(model, np.random.default_rng([5, i])) for i in range(4)]
    rendered = render_heads(model, heads, 32)
    assert np.all(rendered.pictures.reshape(4, -1).std(-1) > 10.0)
    area = rendered.mask.mean((1, 2))
    assert area.min() > 0.2 and area.max() < 0.7
    normals = rendered.normals[rendered.mask]
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    names = [name for name in coefficients(heads[0], model) if "shape/" in name]
    assert names == [f"shape/component_{index:02}" for index in range(5)]


def test_regions_are_optional(tmp_path):
    model = load_head_model(damaged(tmp_path, regions=None, region_names=None))
    assert model.regions == {}
    head = sample_head(model, np.random.default_rng(1))
    assert render_heads(model, [head], 16).mask.any()


def test_known_regions_are_coloured(model):
    head = sample_head(model, np.random.default_rng(2))
    bare = dataclasses.replace(
        model, regions={name: 0.0 * values for name, values in model.regions.items()}
    )
    with_lips, without = (
        render_heads(each, [head], 32).pictures[0].astype(int) for each in (model, bare)
    )
    assert np.abs(with_lips - without).max() > 10


def test_what_is_written_is_read(path, tmp_path):
    file = read_head_model(path)
    write_head_model(tmp_path / "again.npz", file)
    again = read_head_model(tmp_path / "again.npz")
    np.testing.assert_array_equal(again.mean, file.mean)
    np.testing.assert_array_equal(again.basis, file.basis)
    assert again.region_names == file.region_names == ("lips", "ears")


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("mean", None, "is missing"),
        ("nose_tip", None, "is missing"),
        ("region_names", None, "is missing"),
        ("mean", np.zeros((7, 2)), r"has shape \[7, 2\], not \[any, 3\]"),
        ("basis", np.zeros((2, 7, 3)), "has shape"),
        ("eye_centres", np.zeros(3), "has shape"),
        ("basis", np.full((1, 1026, 3), np.nan), "not finite"),
        ("basis", np.zeros((0, 1026, 3)), "has no components"),
        ("regions", np.ones((1026, 2)), "must not be lips everywhere"),
        ("mean", np.full((1026, 3), "x"), "not numbers"),
        ("triangles", np.array([[0, 1, 1026]]), "indices of the 1026 vertices"),
        ("triangles", np.array([[0, 1, -1]]), "indices of the 1026 vertices"),
        ("triangles", np.array([[0.0, 1.0, 2.0]]), "not integers"),
        ("triangles", content()["triangles"][:, ::-1], "inside out"),
        ("triangles", content()["triangles"].repeat(3, 0), "more than two triangles"),
        ("nose_tip", SHIFT + [0.0, 0.5, 5.0], "before"),
        ("eye_centres", np.tile(SHIFT, (2, 1)), "two sides"),
        ("regions", np.full((1026, 2), 2.0), "from 0 to 1"),
        ("region_names", np.array(["lips"]), "must name 2 regions"),
        ("region_names", np.array(["lips", "tail"]), "'tail'"),
        ("region_names", np.array(["lips", "lips"]), "'lips'"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, key, value, fault):
    path = damaged(tmp_path, **{key: value})
    with pytest.raises(UserError, match=fault) as error:
        load_head_model(path)
    message = str(error.value)
    assert message.startswith(f"{path}: {key} ") and "\n" not in message


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="cannot read .*none.npz"):
        load_head_model(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no model")
    with pytest.raises(UserError, match="text.npz is not an .npz file"):
        load_head_model(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(UserError, match="one.npy is not an .npz file"):
        load_head_model(tmp_path / "one.npy")
    np.savez(tmp_path / "objects.npz", mean=np.array([{}], object))
    with pytest.raises(UserError, match="objects.npz is not an .npz file"):
        load_head_model(tmp_path / "objects.npz")
