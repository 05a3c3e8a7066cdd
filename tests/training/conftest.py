"""What tests of training share."""

import numpy as np
import pytest
from PIL import Image

from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.session import train


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of 20 pictures of noise, 16 x 16."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(20):
        pixels = random.integers(0, 255, [16, 16, 3], np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def logged_run(small_bindings, pictures, tmp_path_factory):
    """The folder of a run of eight steps, with one sheet and three early ones."""
    folder = tmp_path_factory.mktemp("runs") / "logged"
    lines = [
        "Trainer.steps = 8",
        "Trainer.r1_interval = 1",
        "Trainer.log_interval = 3",
        "Trainer.sheet_interval = 8",
        "Trainer.rate_decay = @LinearDecay()",
        "LinearDecay.pictures = 64",
    ]
    configuration = Configuration.from_files([], [*small_bindings, *lines])
    train(configuration, str(pictures), str(folder))
    return folder
