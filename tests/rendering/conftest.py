"""Inputs of the op `RenderMesh`, for the tests of the rasteriser."""

import importlib.util
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d import rendering
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering.camera import PinholeCamera


def _load_brute_force():
    path = pathlib.Path(__file__).with_name("brute_force.py")
    spec = importlib.util.spec_from_file_location("brute_force", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_BRUTE_FORCE = _load_brute_force()
REAL_INPUTS = ("vertices", "uv", "texture", "attributes", "background")


def _bumpy_vertices(rng, directions, scale, center):
    """A star-shaped surface with dents, so that it hides parts of itself."""
    radius = np.ones([len(directions), 1])
    for _ in range(6):
        wave = directions @ rng.normal(size=(3, 1), scale=3) + rng.uniform(0, 6)
        radius += 0.12 * np.sin(wave)
    return directions * radius * scale + center


def _cast(inputs, dtype):
    return {
        name: value.astype(dtype) if name in REAL_INPUTS else value.astype(np.int32)
        for name, value in inputs.items()
    }


def _bumpy_inputs(
    seed,
    *,
    subdivisions=5,
    height=48,
    width=48,
    texture_size=16,
    batch=1,
    dtype=np.float64,
):
    """A bumpy sphere with a smaller one before it, all colours random."""
    rng = np.random.default_rng(seed)
    sphere = octahedral_sphere(subdivisions)
    directions = sphere.directions.astype(np.float64)
    count, faces = len(directions), len(sphere.triangles)
    pictures = []
    for _ in range(batch):
        offset = np.append(rng.uniform(-0.5, 0.5, 2), -1.4)
        # Off the axis, lest edges run through pixel centres.
        center = np.array([0.013, 0.007, 0.2])
        back = _bumpy_vertices(rng, directions, 0.6, center)
        front = _bumpy_vertices(rng, directions, 0.25, offset)
        pictures.append(np.concatenate([back, front]))
    vertices = PinholeCamera().project(tf.constant(np.stack(pictures)), height, width)
    return _cast(
        {
            "vertices": vertices.numpy(),
            "triangles": np.concatenate([sphere.triangles, sphere.triangles + count]),
            "neighbors": np.concatenate([sphere.neighbors, sphere.neighbors + faces]),
            # Off the border, where the texture's gradient has its kink.
            "uv": sphere.uv * 0.9 + 0.05,
            "uv_triangles": np.concatenate([sphere.uv_triangles] * 2),
            "texture": rng.uniform(-1, 1, [batch, texture_size, texture_size, 2]),
            "attributes": rng.uniform(-1, 1, [batch, 2 * count, 1]),
            "background": rng.uniform(-1, 1, [batch, height, width, 3]),
        },
        dtype,
    )


def _open_inputs(seed, *, subdivisions=5, **options):
    """The bumpy spheres with a cap cut off each, so that one sees into some of them."""
    inputs = _bumpy_inputs(seed, subdivisions=subdivisions, **options)
    sphere = octahedral_sphere(subdivisions)
    cut = np.random.default_rng(seed).normal(size=3)
    height = sphere.directions[sphere.triangles].mean(1) @ (cut / np.linalg.norm(cut))
    keep = np.tile(height < 0.4, 2)
    new_index = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)
    for name in ("triangles", "uv_triangles", "neighbors"):
        inputs[name] = inputs[name][keep]
    inputs["neighbors"] = new_index[inputs["neighbors"]].astype(np.int32)
    return inputs


def _soup_inputs(
    seed,
    *,
    triangles=20,
    height=24,
    width=24,
    batch=1,
    nearest=1.0,
    dtype=np.float64,
):
    """Triangles without neighbours anywhere, also outside and behind the camera.

    With a negative depth `nearest` of their corners they also reach behind it.
    """
    rng = np.random.default_rng(seed)
    depth = rng.uniform(nearest, 3, [batch, 3 * triangles, 1])
    position = rng.uniform(-0.3, 1.3, [batch, 3 * triangles, 2]) * [width, height]
    vertices = np.concatenate([position * depth, depth], -1)
    vertices[:, :3, 2] *= -1
    indices = np.arange(3 * triangles).reshape(-1, 3)
    return _cast(
        {
            "vertices": vertices,
            "triangles": indices,
            "neighbors": np.full_like(indices, -1),
            "uv": rng.uniform(-0.1, 1.1, [3 * triangles, 2]),
            "uv_triangles": indices,
            "texture": rng.uniform(-1, 1, [batch, 5, 7, 2]),
            "attributes": rng.uniform(-1, 1, [batch, 3 * triangles, 2]),
            "background": rng.uniform(-1, 1, [batch, height, width, 4]),
        },
        dtype,
    )


def _quad_inputs(height, width, *, texture=None, depths=(1, 1, 1, 1), box=None):
    """A rectangle, by default the whole picture; the UVs of its corners are 0 and 1.

    `depths` are those of its corners, top left, top right, bottom left, bottom right;
    `box` is (left, top, right, bottom) in pixels.
    """
    left, top, right, bottom = box or (0, 0, width, height)
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    depths = np.array(depths, np.float64)[:, None]
    texture = np.zeros([4, 4, 1]) if texture is None else texture
    channels = texture.shape[-1]
    triangles = np.array([[0, 2, 1], [1, 2, 3]])
    return _cast(
        {
            "vertices": np.concatenate([corners * depths, depths], -1)[None],
            "triangles": triangles,
            "neighbors": np.array([[1, -1, -1], [-1, -1, 0]]),
            "uv": np.array([[0, 0], [1, 0], [0, 1], [1, 1]]),
            "uv_triangles": triangles,
            "texture": texture[None],
            "attributes": np.ones([1, 4, 1]),
            "background": np.zeros([1, height, width, channels + 1]),
        },
        np.float64,
    )


def _merge_inputs(*all_inputs):
    """Puts meshes together; the rest is that of the first inputs."""
    merged = dict(all_inputs[0])
    for inputs in all_inputs[1:]:
        shifts = {
            "triangles": merged["vertices"].shape[1],
            "uv_triangles": merged["uv"].shape[0],
        }
        for name, shift in shifts.items():
            merged[name] = np.concatenate(
                [merged[name], inputs[name] + np.int32(shift)]
            )
        neighbors = inputs["neighbors"]
        count = np.int32(len(merged["neighbors"]))
        shifted = np.where(neighbors < 0, np.int32(-1), neighbors + count)
        merged["neighbors"] = np.concatenate([merged["neighbors"], shifted])
        merged["uv"] = np.concatenate([merged["uv"], inputs["uv"]])
        for name in ("vertices", "attributes"):
            merged[name] = np.concatenate([merged[name], inputs[name]], 1)
    return merged


def _mesh_of(inputs):
    """The mesh as tensors, which nothing but the ops checks and converts."""
    fields = ("triangles", "uv", "uv_triangles", "neighbors")
    return Mesh(**{name: tf.convert_to_tensor(inputs[name]) for name in fields})


def _split(inputs_and_options):
    """The mesh of a picture, its other inputs, and options."""
    rest = dict(inputs_and_options)
    names = ("vertices", "texture", "attributes", "background")
    inputs = {name: rest.pop(name) for name in names}
    topology = ("triangles", "uv", "uv_triangles", "neighbors")
    mesh = _mesh_of({name: rest.pop(name) for name in topology})
    return mesh, inputs, rest


def _render_inputs(**inputs_and_options):
    """The picture of `render_mesh` and its triangles."""
    mesh, inputs, options = _split(inputs_and_options)
    drawn = rendering.render_mesh(mesh=mesh, **inputs, **options)
    return drawn["picture"], drawn["triangle_ids"]


def _render_by_brute_force(
    margin=1.0, depth_push=0.02, cull_backfaces=True, mipmaps=False, **inputs
):
    """The same from the definition, in the precision of the inputs."""
    return _BRUTE_FORCE.render_mesh(
        **inputs,
        # Attributes of an op are float32.
        margin=float(np.float32(margin)),
        depth_push=float(np.float32(depth_push)),
        cull_backfaces=cull_backfaces,
        mipmaps=mipmaps,
    )


def _render_in_steps(mipmaps=False, **inputs_and_options):
    """The same from its parts."""
    mesh, inputs, options = _split(inputs_and_options)
    height, width = tf.unstack(tf.shape(inputs["background"]))[1:3]
    fragments = rendering.rasterize_mesh(
        inputs["vertices"], mesh, height, width, **options
    )
    uv = rendering.interpolate_uv(fragments, mesh)
    footprint = None
    if mipmaps:
        footprint = rendering.uv_footprint(fragments, inputs["vertices"], mesh)
    colours = [
        rendering.sample_texture(fragments, inputs["texture"], uv, footprint=footprint),
        rendering.interpolate(fragments, inputs["attributes"], mesh.triangles),
    ]
    picture = rendering.composite(
        fragments, tf.concat(colours, -1), inputs["background"]
    )
    return picture, fragments.triangle_ids


def _render_with_gradients(inputs, weights, render=_render_inputs, **options):
    """The picture, its triangles, and the gradients of `sum(weights * picture)`."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    watched = {name: tensors[name] for name in REAL_INPUTS}
    with tf.GradientTape() as tape:
        tape.watch(watched)
        picture, triangle_ids = render(**tensors, **options)
        value = tf.reduce_sum(picture * tf.cast(weights, picture.dtype))
    gradients = tape.gradient(
        value, watched, unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    gradients = {
        name: tf.convert_to_tensor(value).numpy() for name, value in gradients.items()
    }
    return picture.numpy(), triangle_ids.numpy(), gradients


@pytest.fixture(scope="session")
def bumpy_inputs():
    return _bumpy_inputs


@pytest.fixture(scope="session")
def open_inputs():
    return _open_inputs


@pytest.fixture(scope="session")
def soup_inputs():
    return _soup_inputs


@pytest.fixture(scope="session")
def quad_inputs():
    return _quad_inputs


@pytest.fixture(scope="session")
def merge_inputs():
    return _merge_inputs


@pytest.fixture(scope="session")
def mesh_of():
    return _mesh_of


@pytest.fixture(scope="session")
def render_inputs():
    return _render_inputs


@pytest.fixture(scope="session")
def render_by_brute_force():
    return _render_by_brute_force


@pytest.fixture(scope="session")
def render_in_steps():
    return _render_in_steps


@pytest.fixture(scope="session")
def render_with_gradients():
    return _render_with_gradients


@pytest.fixture(scope="session")
def slope_error():
    """Relative error of the gradient of a function of one step, at 0, in float64."""

    def error(along):
        step = tf.constant(0.0, tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(step)
            value = along(step)
        predicted = tape.gradient(value, step)
        difference = (along(1e-7) - along(-1e-7)) / 2e-7
        return abs(predicted - difference) / abs(difference)

    return error
