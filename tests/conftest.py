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
    parser.addoption(
        "--portraits", help="folder of photographs of people, to align them as well"
    )


SMALL_BINDINGS = """
Renderer.resolution = 16
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


@pytest.fixture(scope="session")
def small_bindings():
    """Parameters of a trainer and models so small that tests train them."""
    return SMALL_BINDINGS.split("\n")[1:-1]


@pytest.fixture(scope="session")
def small_run(small_bindings, tmp_path_factory):
    """The folder of a run that was left after its first step."""
    import tensorflow as tf

    from tf_unsup3d.trained import model_folder
    from tf_unsup3d.trained.configuration import Configuration
    from tf_unsup3d.training.trainer import Trainer

    folder = tmp_path_factory.mktemp("runs") / "run"
    configuration = Configuration.from_files(
        [],
        [
            *small_bindings,
            "Trainer.seed = 7",
            "Trainer.viewpoints = @UniformViewpoints()",
            "UniformViewpoints.limits = (30.0, 10.0, 0.0)",
            "Renderer.margin = 0.5",
        ],
    )
    trainer = Trainer(configuration, folder, tf.distribute.get_strategy())
    trainer.state.step.assign(1)
    trainer.save()
    model_folder.write_configuration(folder, configuration)
    return folder


@pytest.fixture(scope="session")
def head_set(tmp_path_factory):
    """A set of a few heads at 16 x 16 with their truth."""
    from tf_unsup3d.heads.settings import HeadSetSettings
    from tf_unsup3d.heads.storage import make_head_set

    folder = tmp_path_factory.mktemp("heads") / "set"
    settings = HeadSetSettings(1, validation_count=6, test_count=5, resolution=16)
    make_head_set(folder, settings)
    return folder


@pytest.fixture(autouse=True)
def fixed_seeds():
    """Seeds each generator of random numbers before each test."""
    import tensorflow as tf

    random.seed(0)
    np.random.seed(0)
    tf.random.set_seed(0)
