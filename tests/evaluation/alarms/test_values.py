import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.evaluation.alarms.frontal_depth import flatness, hollow_face
from tf_unsup3d.evaluation.alarms.limits import ALARMS, raised_alarms
from tf_unsup3d.evaluation.alarms.report import alarm_report
from tf_unsup3d.evaluation.alarms.surface import spikiness
from tf_unsup3d.evaluation.alarms.values import mean_values
from tf_unsup3d.evaluation.masks import erode
from tf_unsup3d.geometry.sphere import octahedral_sphere, uv_to_direction
from tf_unsup3d.heads.parameters import sample_head
from tf_unsup3d.heads.shape import procedural_head_model
from tf_unsup3d.rendering.renderer import Renderer
from tf_unsup3d.rendering.scene import Scene

SUBDIVISIONS = 16
MESH = octahedral_sphere(SUBDIVISIONS)
RENDERER = Renderer(resolution=32)
BALL = 0.7 * MESH.directions[None]


def scene_of(vertices, colour=0.5, background=-0.3):
    shape = [len(vertices), 16, 16, 3]
    return Scene(
        tf.constant(vertices, tf.float32),
        tf.fill(shape, colour),
        tf.fill(shape, background),
    )


def measured(vertices, **colours):
    return mean_values(scene_of(vertices, **colours), RENDERER)


def raised(*arguments, **colours):
    values = measured(*arguments, **colours)
    return {alarm.name for alarm in raised_alarms(values)}


def bowl():
    """A ball whose front is pressed in."""
    vertices = BALL.copy()
    front = vertices[..., 2] < 0.0
    vertices[front, 2] *= -0.8
    return vertices


def tilted_card():
    card = BALL * [1.0, 1.0, 0.05]
    c, s = math.cos(0.5), math.sin(0.5)
    return card @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def spiky_ball():
    noise = np.random.default_rng(0).normal(0.0, 0.05, [1, BALL.shape[1], 1])
    return BALL * (1.0 + noise)


def half_rough_ball(side=1.0):
    noise = np.random.default_rng(0).normal(0.0, 0.04, [1, BALL.shape[1], 1])
    return BALL * (1.0 + np.where(side * BALL[..., 2:] > 0.3, noise, 0.0))


def folded_ball():
    wave = 0.8 * np.sin(8.0 * BALL[..., :1])
    return np.concatenate([BALL[..., :2], BALL[..., 2:] + wave], -1)


@pytest.fixture(scope="module")
def head_vertices():
    model = procedural_head_model(SUBDIVISIONS)
    np.testing.assert_array_equal(model.triangles, MESH.triangles)
    heads = [sample_head(model, np.random.default_rng([5, i])) for i in range(8)]
    return np.stack([head.vertices(model) for head in heads])


def test_every_head_is_silent(head_vertices):
    for vertices in head_vertices:
        assert raised(vertices[None]) == set()
    assert raised(head_vertices) == set()
    assert raised(BALL) == set()


@pytest.mark.parametrize(
    ("name", "vertices"),
    [
        ("hollow_face", bowl()),
        ("hollow_face", BALL * [1.0, 1.0, -1.0]),
        ("flatness", BALL * [1.0, 1.0, 0.05]),
        ("flatness", tilted_card()),
        ("extent", 3.0 * BALL),
        ("flipped_triangles", folded_ball()),
        ("spikiness", spiky_ball()),
        ("back_spikiness", half_rough_ball()),
        ("mask_variation", BALL * [1.0, 1.0, 0.05]),
        ("half_shell", BALL * np.where(BALL[..., 2:] > 0.0, [1.0, 1.0, 0.3], 1.0)),
    ],
)
def test_alarm_is_raised_by_what_it_is_for(name, vertices):
    assert name in raised(vertices)


def test_alarm_for_a_background_that_shows_the_object(head_vertices):
    assert raised(head_vertices, background=0.5) == {"object_effect"}
    assert "object_effect" in raised(0.2 * BALL)


def test_an_object_out_of_sight_raises_alarms():
    values = measured(BALL + [5.0, 0.0, 0.0])
    assert all(math.isfinite(value) for value in values.values())
    names = {alarm.name for alarm in raised_alarms(values)}
    assert {"flatness", "extent", "object_effect"} <= names


def striped(back, magnification=1.0):
    """A ball with stripes along the meridians on its back, or along the parallels."""
    centres = (np.arange(64) + 0.5) / 64
    grid = np.stack(np.meshgrid(centres, centres), -1)
    x, y, z = np.moveaxis(uv_to_direction(grid, magnification), -1, 0)
    stripes = np.sin(12.0 * (np.arctan2(y, x) if back == "meridians" else np.arccos(z)))
    texture = np.where(z > 0.0, 0.5 * stripes, 0.3)
    texture = np.repeat(texture[None, ..., None], 3, -1)
    return scene_of(BALL)._replace(texture=tf.constant(texture, tf.float32))


@pytest.mark.parametrize("magnification", [1.0, 2.0])
def test_alarm_for_streaks_that_run_into_the_back_pole(magnification):
    renderer = Renderer(resolution=32, front_magnification=magnification)
    values = mean_values(striped("meridians", magnification), renderer)
    assert {alarm.name for alarm in raised_alarms(values)} == {"back_streaks"}
    values = mean_values(striped("parallels", magnification), renderer)
    assert raised_alarms(values) == []


def test_each_alarm_has_a_value_and_a_side(head_vertices):
    values = measured(head_vertices)
    assert set(values) == {alarm.name for alarm in ALARMS}
    assert all(isinstance(value, float) for value in values.values())
    for alarm in ALARMS:
        worse = alarm.limit + (-1.0 if alarm.from_below else 1.0)
        assert alarm.raised_by(worse) and alarm.raised_by(math.nan)
        assert not alarm.raised_by(2.0 * alarm.limit - worse)
        assert not alarm.raised_by(alarm.limit)


def test_the_warning_names_measure_value_and_limit():
    (alarm,) = [alarm for alarm in ALARMS if alarm.name == "extent"]
    line = alarm.describe(12.0)
    assert "extent 12" in line and "1.5" in line and "\n" not in line


def test_the_report_counts_objects(head_vertices):
    scenes = [
        scene_of(head_vertices[:3]),
        scene_of(np.concatenate([bowl(), tilted_card(), head_vertices[3:4]])),
    ]
    report = alarm_report({}, iter(scenes), RENDERER)
    assert report.objects == 6
    assert report.alarms["hollow_face"].raised == 1
    assert report.alarms["flatness"].raised == 1
    assert report.alarms["extent"].raised == 0
    each = [measured(v[None]) for v in head_vertices[:4]]
    each += [measured(bowl()), measured(tilted_card())]
    for name, found in report.alarms.items():
        values = [value[name] for value in each]
        assert found.mean == pytest.approx(np.mean(values), abs=1e-6)
        assert found.least == pytest.approx(min(values), abs=1e-6)
        assert found.largest == pytest.approx(max(values), abs=1e-6)
    table = report.table().split("\n")
    (line,) = [line for line in table if "hollow_face" in line]
    assert line.split()[-3:] == ["above", "0", "1"]
    assert len({line.index("above") for line in table if "above" in line}) == 1


def test_values_of_a_ball():
    values = measured(BALL)
    assert values["half_shell"] == pytest.approx(1.0, rel=1e-3)
    assert values["back_streaks"] == pytest.approx(0.0, abs=1e-6)
    assert values["extent"] == pytest.approx(0.7, abs=1e-3)
    assert values["spikiness"] == pytest.approx(1.0, abs=1e-3)
    assert values["flipped_triangles"] == 0.0
    assert values["mask_variation"] == pytest.approx(0.0, abs=0.01)
    # The object covers a disc of that radius, 0.8 brighter than what is behind it.
    assert values["object_effect"] == pytest.approx(
        0.8 * math.pi * 0.7**2 / 4.0, rel=0.1
    )


def test_spikiness_of_a_smooth_shape_does_not_depend_on_the_mesh():
    found = [
        spikiness(mesh.directions[None] * [1.0, 1.0, 0.5], mesh)[0]
        for mesh in (MESH, octahedral_sphere(32))
    ]
    assert found[0] == pytest.approx(found[1], rel=0.02)


def test_back_spikiness_leaves_out_the_front():
    assert raised(half_rough_ball()) == {"back_spikiness"}
    assert measured(half_rough_ball(side=-1.0))["back_spikiness"] == pytest.approx(1.0)


def test_flatness_and_hollowness_do_not_depend_on_size():
    found = []
    for radius in (0.4, 0.8):
        scene = scene_of(radius * octahedral_sphere(32).directions[None])
        drawn = Renderer(64)(scene, tf.zeros([1, 3]), outputs=("depth", "mask"))
        depth, mask = (drawn[name].numpy()[..., 0] for name in ("depth", "mask"))
        frontal = depth, erode(mask > 0.99), RENDERER.camera
        found.append([flatness(*frontal), hollow_face(*frontal)])
    np.testing.assert_allclose(found[0], found[1], rtol=0.15)


def test_it_does_not_matter_where_objects_turn_about_in_training():
    scene = scene_of(spiky_ball())
    values = mean_values(scene, RENDERER)
    assert values["mask_variation"] > 0.0
    pivoting = RENDERER.replace(pivot=(0.05, -0.1, -0.4))
    assert mean_values(scene, pivoting) == pytest.approx(values, abs=1e-5)
