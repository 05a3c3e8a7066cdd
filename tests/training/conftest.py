"""What tests of training share."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of 20 pictures of noise, 16 x 16."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(20):
        pixels = random.integers(0, 255, [16, 16, 3], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder
