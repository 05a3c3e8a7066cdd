"""The registered gradient against finite differences, in double precision."""

import dataclasses
import functools
import types
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.geometry.sphere import octahedral_sphere
from tf_unsup3d.rendering import op_library
from tf_unsup3d.rendering.camera import PinholeCamera

SCENES = 50
TOLERANCE = 1e-3
PER_PICTURE = ("vertices", "texture", "attributes", "background")


def _repeat(inputs, count):
    return {
        name: np.repeat(value, count, axis=0) if name in PER_PICTURE else value
        for name, value in inputs.items()
    }


def _vertex_direction(rng, vertices):
    """Moves every vertex by about a pixel, and by 2% of its depth.

    Vertices near the camera or behind it are moved as at the depth 0.3.
    """
    depth = vertices[..., 2:]
    positive = np.maximum(depth, 0.3)
    pixels = rng.normal(size=vertices.shape[:-1] + (2,))
    deeper = positive * 0.02 * rng.normal(size=depth.shape)
    return np.concatenate(
        [pixels * positive + vertices[..., :2] / positive * deeper, deeper], -1
    )


def _directions(rng, inputs):
    scale = {"vertices": 1.0, "uv": 0.01, "texture": 1.0, "attributes": 1.0}
    directions = {
        name: scale.get(name, 1.0) * rng.normal(size=inputs[name].shape)
        for name in ("uv", "texture", "attributes", "background")
    }
    return {"vertices": _vertex_direction(rng, inputs["vertices"]), **directions}


def _difference(render, inputs, name, direction, step, weights, **options):
    """The central difference of the weighted sum of the picture."""
    values = []
    for sign in (1, -1):
        moved = dict(inputs)
        moved[name] = inputs[name] + sign * step * direction
        picture, _ = render(**moved, **options)
        values.append(np.sum(picture.numpy() * weights))
    return (values[0] - values[1]) / (2 * step)


@pytest.fixture(scope="module")
def bumpy_gradients(bumpy_inputs, render_with_gradients):
    """Inputs, weights, directions and gradients by name: `(margin, seed)`.

    The gradients with respect to all inputs are those of one picture, so they are
    computed once for the tests of all inputs.
    """

    @functools.cache
    def compute(margin, seed):
        inputs = bumpy_inputs(seed)
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=inputs["background"].shape)
        _, _, gradients = render_with_gradients(inputs, weights, margin=margin)
        return inputs, weights, _directions(rng, inputs), gradients

    return compute


@pytest.mark.parametrize(
    "name", ["vertices", "uv", "texture", "attributes", "background"]
)
@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_gradient_is_that_of_the_picture(name, margin, bumpy_gradients, render_inputs):
    errors = []
    for seed in range(SCENES):
        inputs, weights, directions, gradients = bumpy_gradients(margin, seed)
        direction = directions[name]
        # So short a step meets no pixel on the border of two pieces of the picture.
        difference = _difference(
            render_inputs, inputs, name, direction, 1e-7, weights, margin=margin
        )
        predicted = np.sum(gradients[name] * direction)
        errors.append(abs(predicted - difference) / abs(difference))
    assert max(errors) < TOLERANCE


def _shrunken(inputs, sizes):
    """Every triangle drawn together into its first corner, to a part of its size."""
    triangles = inputs["vertices"].reshape(1, -1, 3, 3)
    first = triangles[:, :, :1]
    triangles = first + sizes * (triangles - first)
    return {**inputs, "vertices": triangles.reshape(1, -1, 3)}


@pytest.fixture
def difficult_inputs(bumpy_inputs, open_inputs, soup_inputs, quad_inputs, merge_inputs):
    """Inputs `(seed)` by their kind."""

    def behind_camera(seed):
        return soup_inputs(seed, triangles=30, nearest=-1.5)

    def soup(seed):
        return soup_inputs(seed, triangles=30)

    def smaller_than_pixels(seed):
        return bumpy_inputs(seed, subdivisions=20, height=24, width=24)

    def specks(seed):
        return _shrunken(soup_inputs(seed, triangles=60), 0.05)

    def slivers(seed):
        rng = np.random.default_rng(seed)
        inputs = soup_inputs(seed, triangles=60)
        triangles = inputs["vertices"].reshape(1, -1, 3, 3)
        along = rng.uniform(size=[1, 60, 1])
        triangles[:, :, 2] = (1 - along) * triangles[:, :, 0]
        triangles[:, :, 2] += along * triangles[:, :, 1]
        triangles[:, :, 2, :2] += rng.normal(scale=0.02, size=[1, 60, 2])
        return {**inputs, "vertices": triangles.reshape(1, -1, 3)}

    def corners_and_t_junctions(seed):
        """Three rectangles: a corner of two of them meets an edge of the third."""
        rng = np.random.default_rng(seed)
        boxes = [(3, 4, 12, 20), (12, 4, 21, 11), (12, 11, 21, 20)]
        inputs = merge_inputs(*(quad_inputs(24, 24, box=box) for box in boxes))
        shape = inputs["vertices"].shape
        # Moved a little apart, lest two edges share all their pixels.
        inputs["vertices"] += rng.uniform(-0.2, 0.2, shape) * [1, 1, 0.05]
        inputs["attributes"] = rng.uniform(-1, 1, inputs["attributes"].shape)
        return inputs

    return {
        "behind camera": behind_camera,
        "corners and T-junctions": corners_and_t_junctions,
        "open surface": open_inputs,
        "slivers": slivers,
        "smaller than pixels": smaller_than_pixels,
        "soup": soup,
        "specks": specks,
    }


@pytest.mark.parametrize("margin", [1.0, 2.5])
@pytest.mark.parametrize(
    "kind, cull_backfaces",
    [
        ("behind camera", True),
        ("behind camera", False),
        ("soup", True),
        ("smaller than pixels", True),
        ("specks", True),
        ("slivers", True),
        ("corners and T-junctions", True),
        ("open surface", True),
        ("open surface", False),
    ],
)
def test_gradient_of_difficult_pictures(
    kind,
    cull_backfaces,
    margin,
    difficult_inputs,
    render_inputs,
    render_with_gradients,
):
    options = {"margin": margin, "cull_backfaces": cull_backfaces}
    errors = []
    for seed in range(30):
        inputs = difficult_inputs[kind](seed)
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=inputs["background"].shape)
        _, _, gradients = render_with_gradients(inputs, weights, **options)
        direction = _vertex_direction(rng, inputs["vertices"])
        predicted = np.sum(gradients["vertices"] * direction)
        # Long steps meet kinks, which crowd in thin triangles; short ones round.
        differences = np.array(
            [
                _difference(
                    render_inputs,
                    inputs,
                    "vertices",
                    direction,
                    step,
                    weights,
                    **options,
                )
                for step in (1e-6, 1e-7, 1e-8)
            ]
        )
        errors.append(np.min(np.abs(predicted - differences) / np.abs(differences)))
    assert np.median(errors) < 1e-6
    assert max(errors) < TOLERANCE


def _drawn(inputs, vertices):
    points = vertices[..., :2] / vertices[..., 2:]
    a, b, c = (points[..., inputs["triangles"][:, k], :] for k in range(3))
    b, c = b - a, c - a
    area = b[..., 0] * c[..., 1] - b[..., 1] * c[..., 0]
    return area < -1e-10  # the op's threshold


@dataclasses.dataclass
class Path:
    """Moves vertices along a line and follows a functional of the picture."""

    render: Callable
    inputs: dict
    direction: np.ndarray
    weights: np.ndarray
    options: dict

    def _vertices(self, times):
        return self.inputs["vertices"] + times[:, None, None] * self.direction

    def _values(self, times):
        """The functional and its derivative by the registered gradient."""
        values, slopes = [], []
        for part in np.array_split(times, max(1, len(times) // 64)):
            inputs = _repeat(self.inputs, len(part))
            vertices = tf.constant(self._vertices(part))
            with tf.GradientTape() as tape:
                tape.watch(vertices)
                picture, _ = self.render(
                    **{**inputs, "vertices": vertices}, **self.options
                )
                value = tf.reduce_sum(picture * self.weights, [1, 2, 3])
                total = tf.reduce_sum(value)
            gradient = tape.gradient(total, vertices).numpy()
            values.append(value.numpy())
            slopes.append(np.sum(gradient * self.direction, axis=(1, 2)))
        return np.concatenate(values), np.concatenate(slopes)

    def follow(self, intervals, levels, skip_turns):
        """Sums up the steps of the functional, measured and predicted.

        An interval where the two differ is halved, up to `levels` times: kinks are
        closed in on, while a jump remains in some shortest interval. With `skip_turns`
        the shortest intervals in which a triangle turns between front and back are
        left out: there the definition of the picture jumps.
        """
        ends = np.linspace(0, 1, intervals + 1)
        values, _ = self._values(ends)
        first, last = ends[:-1], ends[1:]
        first_value, last_value = values[:-1], values[1:]
        tolerance = 1e-6 * np.sum(np.abs(np.diff(values)))
        measured = predicted = 0.0
        for level in range(levels + 1):
            middle = (first + last) / 2
            middle_value, slope = self._values(middle)
            steps = last_value - first_value
            guesses = slope * (last - first)
            done = np.abs(steps - guesses) < tolerance
            if level == levels:
                done = np.full_like(done, True)
                if skip_turns:
                    before = _drawn(self.inputs, self._vertices(first))
                    after = _drawn(self.inputs, self._vertices(last))
                    done = np.all(before == after, axis=-1)
            measured += np.sum(steps[done])
            predicted += np.sum(guesses[done])
            left = ~done
            if not np.any(left):
                break
            first, last = (
                np.concatenate([first[left], middle[left]]),
                np.concatenate([middle[left], last[left]]),
            )
            first_value, last_value = (
                np.concatenate([first_value[left], middle_value[left]]),
                np.concatenate([middle_value[left], last_value[left]]),
            )
        return measured, predicted


def test_gradient_holds_across_silhouettes_only_with_a_margin(
    bumpy_inputs, render_inputs
):
    """The same 50 functionals over steps in which silhouettes pass pixel centres."""
    errors = {1.0: [], 0.0: []}
    for seed in range(SCENES):
        inputs = bumpy_inputs(seed, subdivisions=4)
        rng = np.random.default_rng(1000 + seed)
        weights = rng.normal(size=inputs["background"].shape)
        step = 0.05 * _vertex_direction(rng, inputs["vertices"])
        for margin, found in errors.items():
            path = Path(render_inputs, inputs, step, weights, {"margin": margin})
            measured, predicted = path.follow(8, 14, skip_turns=True)
            found.append(abs(predicted - measured) / abs(measured))
    assert max(errors[1.0]) < TOLERANCE
    without = np.array(errors[0.0])
    assert np.sum(without > TOLERANCE) >= 45
    assert np.median(without) > 0.5


def _smooth_weights(rng, inputs):
    _, height, width, channels = inputs["background"].shape
    rows, columns = np.mgrid[:height, :width] / [[[height]], [[width]]]
    return (
        1 + rng.normal() * rows[..., None] + rng.normal() * columns[..., None]
    ) * rng.normal(size=channels)


def _check_path(render, inputs, step, weights, tolerance):
    """The gradient adds up to what happened with a margin, and without it misses it."""
    relative = {}
    for margin in (1.0, 0.0):
        path = Path(render, inputs, step, weights, {"margin": margin})
        measured, predicted = path.follow(32, 8, skip_turns=False)
        relative[margin] = abs(predicted - measured) / abs(measured)
    assert relative[1.0] < tolerance
    assert relative[0.0] > 0.3


@pytest.mark.parametrize("seed", range(6))
def test_gradient_adds_up_while_one_object_passes_another(
    seed, bumpy_inputs, render_inputs
):
    inputs = bumpy_inputs(seed, subdivisions=8)
    count = inputs["vertices"].shape[1] // 2
    rng = np.random.default_rng(seed)
    # Each object of one colour: the surfaces alone contribute nothing.
    inputs["texture"][:] = 0.7
    inputs["attributes"][:, :count] = -0.5
    inputs["attributes"][:, count:] = 0.9
    inputs["background"][:] = rng.uniform(-1, 1, 3)
    step = np.zeros_like(inputs["vertices"])
    angle = rng.uniform(0, 2 * np.pi)
    three_pixels = 3 * np.array([np.cos(angle), np.sin(angle)])
    step[:, count:, :2] = inputs["vertices"][:, count:, 2:] * three_pixels
    _check_path(render_inputs, inputs, step, _smooth_weights(rng, inputs), 0.01)


@pytest.mark.parametrize("height, width", [(48, 48), (40, 64)])
@pytest.mark.parametrize("shaded, tolerance", [(False, 0.01), (True, 0.05)])
def test_gradient_adds_up_while_a_nose_passes_its_face(
    height, width, shaded, tolerance, render_inputs
):
    sphere = octahedral_sphere(12)
    directions = sphere.directions.astype(np.float64)
    angle = np.arccos(np.clip(-directions[:, 2:], -1, 1))
    nose = np.exp(-((angle / 0.45) ** 2))

    def swayed(amount):
        points = 0.6 * directions - nose * [0, 0, 1.2]
        points += nose**2 * [amount, 0.3 * amount, 0]
        return PinholeCamera().project(tf.constant(points[None]), height, width).numpy()

    # Either the whole nose is of one colour, or the colour changes along it. Then the
    # outline takes on other colours while it glides over the nose, triangle by
    # triangle: small jumps that no gradient knows of.
    attributes = 2 * nose - 1 if shaded else np.where(angle < 0.8, 0.9, -0.9)
    inputs = {
        "vertices": swayed(0.3),
        "triangles": sphere.triangles,
        "neighbors": sphere.neighbors,
        "uv": sphere.uv.astype(np.float64),
        "uv_triangles": sphere.uv_triangles,
        "texture": np.zeros([1, 1, 1, 0]),
        "attributes": attributes[None],
        "background": np.full([1, height, width, 1], 0.3),
    }
    weights = _smooth_weights(np.random.default_rng(0), inputs)
    step = swayed(0.6) - inputs["vertices"]
    _check_path(render_inputs, inputs, step, weights, tolerance)


def _gradients(render, inputs, watched):
    """The gradients of a sum of the picture, by name."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    with tf.GradientTape() as tape:
        for name in watched:
            tape.watch(tensors[name])
        picture, _ = render(**tensors)
        value = tf.reduce_sum(picture * tf.cos(picture))
    return tape.gradient(value, {name: tensors[name] for name in watched})


REAL = (*PER_PICTURE, "uv")


def test_gradient_of_uv_is_left_out_and_changes_no_other(
    soup_inputs, render_inputs, monkeypatch
):
    op = op_library.load_library()
    wanted = []

    def render_mesh_grad(*inputs, wants_uv, **options):
        wanted.append(wants_uv)
        return op.render_mesh_grad(*inputs, wants_uv=wants_uv, **options)

    spy = types.SimpleNamespace(
        render_mesh=op.render_mesh, render_mesh_grad=render_mesh_grad
    )
    monkeypatch.setattr(op_library, "load_library", lambda: spy)
    inputs = soup_inputs(0, batch=2)
    full = _gradients(render_inputs, inputs, REAL)
    assert np.any(full["uv"])
    without = _gradients(render_inputs, inputs, PER_PICTURE)
    assert wanted == [True, False]
    for name, gradient in without.items():
        np.testing.assert_array_equal(gradient, full[name], err_msg=name)


def test_gradient_of_uv_alone_and_through_a_compiled_function(
    soup_inputs, render_inputs
):
    """Of a compiled function TensorFlow does not tell which gradients are asked for."""
    inputs = soup_inputs(0, batch=2)
    full = _gradients(render_inputs, inputs, REAL)
    compiled = tf.function(render_inputs, autograph=False)
    for gradients in (
        _gradients(render_inputs, inputs, ["uv"]),
        _gradients(compiled, inputs, REAL),
        _gradients(compiled, inputs, ["vertices"]),
    ):
        for name, gradient in gradients.items():
            np.testing.assert_array_equal(gradient, full[name], err_msg=name)


def test_gradient_of_uv_that_is_not_wanted_is_empty(soup_inputs, render_inputs):
    inputs = soup_inputs(0)
    picture, ids = render_inputs(**inputs)
    gradient = op_library.load_library().render_mesh_grad

    @tf.function
    def of_uv(ids):
        return gradient(picture, ids, *inputs.values(), wants_uv=False).uv_gradient

    assert of_uv.get_concrete_function(ids).structured_outputs.shape == [0, 2]
    assert of_uv(ids).shape == [0, 2]
