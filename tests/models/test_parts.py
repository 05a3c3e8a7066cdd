"""The parts of the networks."""

import pytest

from tf_unsup3d.models.parts import discriminator_parts, generator_parts
from tf_unsup3d.trained.configuration import Configuration


@pytest.fixture(scope="module")
def configuration(small_bindings):
    lines = ["Generator.learn_viewpoints = True", "Trainer.start_resolution = 8"]
    lines += ["Trainer.viewpoints = @GaussianViewpoints()"]
    return Configuration.from_files([], [*small_bindings, *lines])


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_each_weight_belongs_to_one_part(configuration, network):
    model = getattr(configuration, f"make_{network}")()
    divide = {"generator": generator_parts, "discriminator": discriminator_parts}
    parts = divide[network](model)
    found = [id(variable) for variables in parts.values() for variable in variables]
    assert len(found) == len(set(found))
    assert set(found) == {id(variable) for variable in model.trainable_variables}
    assert all(parts.values())


def test_levels_are_named_by_their_resolution(configuration):
    parts = generator_parts(configuration.make_generator())
    levels = [f"{size}x{size}" for size in (4, 8, 16)]
    assert list(parts) == [
        "mapping",
        *(f"object_{level}" for level in levels),
        *(f"background_{level}" for level in levels),
        "viewpoint_spread",
    ]
    scored = discriminator_parts(configuration.make_discriminator())
    assert list(scored) == [*(f"level_{level}" for level in levels[::-1]), "score"]
