"""Settings for every test: quiet TensorFlow, shared processor cores, fixed seeds."""

import os
import pathlib
import random

import numpy as np
import pytest

# Before TensorFlow is first imported; programs started by tests inherit them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
# Programs find this checkout from any folder, installed or not.
root = str(pathlib.Path(__file__).resolve().parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(
    [root, *filter(None, [os.environ.get("PYTHONPATH")])]
)
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    # At least two, so that code with several threads is still tested as such.
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    threads = str(max(2, (os.cpu_count() or 2) // workers))
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", threads)
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")


def pytest_addoption(parser):
    parser.addoption(
        "--ptfrenderer", help="checkout of pTFrenderer, to test it as well"
    )


@pytest.fixture(scope="session")
def small_model():
    """Gin text of a trainer and models so small that tests train them."""
    return """
Trainer.resolution = 16
Trainer.batch_size = 4
Generator.latent_size = 8
Generator.style_size = 8
Generator.mapping_depth = 1
Generator.texture_resolution = 16
Generator.background_resolution = 16
Generator.shape_resolution = 8
Generator.shape_map_size = 16
Generator.channel_max = 8
Generator.subdivisions = 4
Discriminator.channel_max = 8
"""


@pytest.fixture(autouse=True)
def fixed_seeds():
    """Seeds each generator of random numbers before each test."""
    import tensorflow as tf

    random.seed(0)
    np.random.seed(0)
    tf.random.set_seed(0)
