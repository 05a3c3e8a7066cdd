"""Starting from the networks of another run, also one of another resolution."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.trainer import Trainer

LARGER = [
    "Renderer.resolution = 32",
    "Generator.texture_resolution = 32",
    "Generator.background_resolution = 32",
    # Now without noise at 16, but with a shape map.
    "Generator.shape_resolution = 16",
]


def make_trainer(folder, bindings):
    configuration = Configuration.from_files([], [*bindings, "Trainer.seed = 1"])
    return Trainer(configuration, folder, tf.distribute.get_strategy())


@pytest.fixture(scope="module")
def former(small_run):
    """The trainer that has written the small run."""
    configuration = model_folder.read_configuration(small_run)
    trainer = Trainer(configuration, small_run, tf.distribute.get_strategy())
    trainer.restore()
    return trainer


def assert_equal(layer, other):
    for one, two in zip(layer.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_all_is_taken_where_all_fits(former, small_bindings, tmp_path):
    trainer = make_trainer(tmp_path, small_bindings)
    lines = trainer.transfer(former.model_dir)
    names = ("generator", "average", "discriminator")
    for line, name in zip(lines, names, strict=True):
        new, old = getattr(trainer.state, name), getattr(former.state, name)
        assert_equal(new, old)
        count = len(new.variables)
        assert line == f"{count} of {count} arrays of the {name}"


def test_a_larger_network_takes_the_levels_of_a_smaller_one(
    former, small_bindings, tmp_path
):
    trainer = make_trainer(tmp_path, [*small_bindings, *LARGER])
    lines = trainer.transfer(former.model_dir)
    for new, old in (
        (trainer.state.generator, former.state.generator),
        (trainer.state.average, former.state.average),
    ):
        assert_equal(new.mapping, old.mapping)
        for part in ("object_synthesis", "background_synthesis"):
            new_part, old_part = getattr(new, part), getattr(old, part)
            np.testing.assert_array_equal(new_part.start, old_part.start)
            levels = zip(old_part.to_colour, new_part.to_colour, strict=False)
            for old_level, new_level in levels:
                assert_equal(old_level, new_level)
            for old_block, new_block in zip(
                old_part.blocks, new_part.blocks, strict=False
            ):
                for pair in zip(
                    old_block.convolutions, new_block.convolutions, strict=True
                ):
                    assert_equal(*pair)
    assert "object_synthesis/blocks/32" in lines[0]
    assert "object_synthesis/to_shape/16" in lines[0]
    assert "object_synthesis/blocks/16" not in lines[0]

    # The levels of the discriminator are counted from fine to coarse.
    new, old = trainer.state.discriminator, former.state.discriminator
    for name in ("first", "second", "skip"):
        for new_level, old_level in zip(
            getattr(new, name)[1:], getattr(old, name), strict=True
        ):
            assert_equal(new_level, old_level)
    assert_equal(new.score, old.score)
    assert "first/32" in lines[2] and "first/16" not in lines[2]
    assert lines[2].endswith(" begin anew")


def test_a_published_generator_may_be_smaller(former, small_bindings, tmp_path):
    published = tmp_path / "published"
    model = former.model()
    model_folder.publish(published, model.generator, model.configuration, model.card)
    trainer = make_trainer(tmp_path / "run", [*small_bindings, *LARGER])
    lines = trainer.transfer(published)
    assert lines[0].endswith(" begin anew") and "discriminator" in lines[1]
    for new, average, old in zip(
        trainer.state.generator.mapping.get_weights(),
        trainer.state.average.mapping.get_weights(),
        model.generator.mapping.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(new, average)
        np.testing.assert_allclose(new, old, rtol=1e-3, atol=1e-3)


def test_what_does_not_fit_at_all_is_refused(former, small_bindings, tmp_path):
    others = ["Generator.style_size = 9", "Generator.latent_size = 9"]
    trainer = make_trainer(
        tmp_path, [*small_bindings, *others, "Generator.channel_max = 7"]
    )
    with pytest.raises(UserError, match="nothing in the generator .* fits"):
        trainer.transfer(former.model_dir)
    with pytest.raises(UserError, match="no trained model in"):
        trainer.transfer(tmp_path / "missing")
