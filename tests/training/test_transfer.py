"""New runs start where others ended, whatever their resolutions."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.models.layers import upsample
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.discriminator_files import write_discriminator
from tf_unsup3d.training.state import TrainingState
from tf_unsup3d.training.transfer import transfer

SMALL = ["Trainer.start_resolution = 8"]
LARGE = [
    "Renderer.resolution = 32",
    "Trainer.start_resolution = 16",
    "Generator.texture_resolution = 32",
    "Generator.background_resolution = 32",
]


def make_state(bindings, seed=0):
    bindings = [*bindings, f"Trainer.seed = {seed}", "Trainer.stage_pictures = 8"]
    return TrainingState(Configuration.from_files([], bindings))


@pytest.fixture(scope="module")
def run(small_bindings, tmp_path_factory):
    """A run and its state, whose weights are all unlike those of new networks."""
    folder = tmp_path_factory.mktemp("run")
    bindings = [*small_bindings, *SMALL]
    state = make_state(bindings, seed=1)
    for variables in state.networks().values():
        for variable in variables:
            variable.assign(variable + 0.1 * tf.random.normal(variable.shape))
    model_folder.write_configuration(folder, Configuration.from_files([], bindings))
    (folder / model_folder.CHECKPOINTS_NAME).mkdir()
    state.save(folder / model_folder.CHECKPOINTS_NAME / "ckpt-3.npz")
    return folder, state


@pytest.fixture(scope="module")
def larger(run, small_bindings):
    state = make_state([*small_bindings, *LARGE])
    assert transfer(run[0], state) == [
        "the generator, its moving average and the discriminator",
        "no level of 32 x 32 of the texture: it starts anew",
        "no level of 32 x 32 of the background: it starts anew",
        "no level of 32 x 32 of the discriminator: it starts anew",
    ]
    return state


def test_pictures_that_the_discriminator_has_not_seen_are_named(small_bindings, run):
    folder, _ = run
    named = "the discriminator has seen no pictures of 8 x 8: its first layer for them"
    for start, lines in ((0, []), (8, [f"{named} starts anew"])):
        # A run that saw pictures of 16 x 16 alone.
        source = folder.parent / f"{folder.name}-{start}"
        bindings = [*small_bindings, "Trainer.start_resolution = 0"]
        configuration = Configuration.from_files([], bindings)
        model_folder.write_configuration(source, configuration)
        (source / model_folder.CHECKPOINTS_NAME).mkdir()
        path = source / model_folder.CHECKPOINTS_NAME / "ckpt-3.npz"
        make_state(bindings).save(path)
        state = make_state([*small_bindings, f"Trainer.start_resolution = {start}"])
        _, *found = transfer(source, state)
        assert found == lines


def test_a_checkpoint_may_be_named(run, small_bindings):
    folder, old = run
    other = folder / model_folder.CHECKPOINTS_NAME / "best.npz"
    make_state([*small_bindings, *SMALL], seed=2).save(other)
    state = make_state([*small_bindings, *SMALL])
    transfer(folder / model_folder.CHECKPOINTS_NAME / "ckpt-3.npz", state)
    for new, expected in zip(
        state.networks()["average"], old.networks()["average"], strict=True
    ):
        np.testing.assert_array_equal(new, expected)
    transfer(other, state)
    assert np.any(state.networks()["average"][0] != old.networks()["average"][0])


@pytest.mark.parametrize("name", ["generator", "average"])
def test_objects_are_the_same_at_another_resolution(run, larger, name):
    old, new = getattr(run[1], name), getattr(larger, name)
    latents = tf.random.stateless_normal([3, old.latent_size], [0, 0])
    styles = old.styles(latents)
    np.testing.assert_array_equal(new.styles(latents), styles)
    np.testing.assert_allclose(
        new.synthesize(styles).vertices, old.synthesize(styles).vertices, atol=1e-6
    )
    for part in ("object_synthesis", "background_synthesis"):
        before, after = (getattr(net, part)(styles)[0] for net in (old, new))
        assert after.shape[1] == 2 * before.shape[1]
        np.testing.assert_allclose(after, upsample(before), atol=1e-5)


def test_pictures_of_the_former_resolution_have_the_same_scores(run, larger):
    pictures = tf.random.stateless_uniform([4, 16, 16, 3], [0, 0], -1, 1)
    np.testing.assert_allclose(
        larger.discriminator(pictures), run[1].discriminator(pictures), atol=1e-5
    )


def test_new_levels_learn(larger):
    generator = larger.generator
    last = generator.object_synthesis.to_colour[-1]
    with tf.GradientTape() as tape:
        texture = generator(tf.ones([1, generator.latent_size])).texture
        loss = tf.reduce_sum(texture**2)
    assert np.abs(tape.gradient(loss, last.kernel)).max() > 0
    assert not np.any(last.kernel)


def test_levels_may_be_left_out(larger, small_bindings, tmp_path):
    configuration = Configuration.from_files([], [*small_bindings, *LARGE])
    model_folder.publish(
        tmp_path / "published", larger.generator, configuration, {"step": 3}
    )
    state = make_state([*small_bindings, *SMALL])
    lines = transfer(tmp_path / "published", state)
    assert lines == ["the generator", "no discriminator: it starts anew"]
    old, new = (found.object_synthesis for found in (larger.generator, state.average))
    styles = larger.generator.styles(tf.ones([1, larger.generator.latent_size]))
    np.testing.assert_allclose(upsample(new(styles)[0]), old(styles)[0], atol=2e-2)


def test_learned_viewpoints_go_on_where_fixed_ones_ended(run, small_bindings, tmp_path):
    learned = [*small_bindings, *SMALL, "Generator.learn_viewpoints = True"]
    state = make_state(learned)
    viewpoints = tf.ones([3])
    lines = transfer(run[0], state)
    assert "no learned viewpoints: they begin with those that are configured" in lines
    for generator in (state.generator, state.average):
        np.testing.assert_array_equal(generator.learned_spread(viewpoints), viewpoints)
    configuration = Configuration.from_files([], learned)
    model_folder.publish(tmp_path, state.generator, configuration, {"step": 3})
    lines = transfer(tmp_path, make_state([*small_bindings, *SMALL]))
    assert (
        "its learned viewpoints are left out: those that are configured hold" in lines
    )


def test_layers_of_other_sizes_are_refused(run, small_bindings):
    state = make_state([*small_bindings, *SMALL, "Generator.style_size = 5"])
    with pytest.raises(UserError, match=r"--transfer_from: the mapping.* of .*weights"):
        transfer(run[0], state)


def test_levels_of_other_channels_start_anew(small_bindings, tmp_path):
    bindings = [*small_bindings, *SMALL, "Generator.channel_base = 64"]
    old = make_state(bindings)
    configuration = Configuration.from_files([], bindings)
    model_folder.publish(tmp_path, old.generator, configuration, {"step": 3})
    wider = make_state([*bindings, "Generator.background_channel_min = 3"], seed=1)
    lines = transfer(tmp_path, wider)
    assert (
        "the level of 16 x 16 of the background does not fit: it starts anew" in lines
    )
    assert not any("texture" in line for line in lines)
    styles = tf.random.stateless_normal([3, 8], [0, 0])
    before, after = (
        state.generator.background_synthesis(styles)[0] for state in (old, wider)
    )
    assert after.shape == before.shape
    # What the coarser levels draw is left.
    old.generator.background_synthesis.to_colour[-1].kernel.assign(
        tf.zeros_like(old.generator.background_synthesis.to_colour[-1].kernel)
    )
    coarse = old.generator.background_synthesis(styles)[0]
    assert np.abs(coarse - before).max() > 0.01
    np.testing.assert_allclose(after, coarse, atol=2e-3)


def test_a_published_discriminator_scores_as_before(run, larger, small_bindings):
    folder, old = run
    published = folder / "published"
    configuration = Configuration.from_files([], [*small_bindings, *SMALL])
    model_folder.publish(published, old.generator, configuration, {"step": 3})
    write_discriminator(published, old.discriminator)
    state = make_state([*small_bindings, *LARGE])
    assert transfer(published, state)[0] == "the generator and the discriminator"
    pictures = tf.random.stateless_uniform([4, 16, 16, 3], [0, 0], -1, 1)
    np.testing.assert_allclose(
        state.discriminator(pictures), larger.discriminator(pictures), atol=1e-2
    )
