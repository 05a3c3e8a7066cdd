import re

import pytest

from tf_unsup3d.models.discriminator import Discriminator
from tf_unsup3d.models.generator import Generator


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        (Generator, {"latent_size": 0}, "latent_size must be from 1 to 4096, got 0"),
        (Generator, {"subdivisions": 1000}, "subdivisions must be from 1 to 512"),
        (Generator, {"shape_map_size": 1}, "shape_map_size must be from 2 to 1024"),
        (Generator, {"max_stretch": 1.0}, "max_stretch must be from 1 to 1000"),
        (Generator, {"level_weights": ()}, "level_weights must hold at least one"),
        (
            Generator,
            {"texture_resolution": 48},
            "texture_resolution must be a power of two from 4 to 1024, got 48",
        ),
        (Discriminator, {"resolution": 2048}, "resolution must be a power of two"),
        (Discriminator, {"group_size": 0}, "group_size must be from 1 to 4096"),
        (
            Discriminator,
            {"resolution": 16, "start_resolution": 32},
            "start_resolution must be a power of two from 4 to 16, got 32",
        ),
    ],
)
def test_arguments_out_of_range_are_named(model, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        model(**arguments)
