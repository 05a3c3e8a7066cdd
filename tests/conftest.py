"""Settings for every test: quiet TensorFlow, shared processor cores, fixed seeds."""

import importlib
import os
import pathlib
import random
import subprocess
import sys

import hypothesis
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
# The same examples each time, however long one takes on a busy machine.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption(
        "--ptfrenderer", help="checkout of pTFrenderer, to test it as well"
    )
    parser.addoption(
        "--portraits", help="folder of photographs of people, to align them as well"
    )


# What takes long begins first, lest one process works alone in the end.
_LONGEST = (
    "tests/training/test_training.py",
    "tests/reconstruction/",
    "tests/data/test_prepare.py",
    "tests/training/test_kills.py",
    "tests/training/test_distribution.py",
    "tests/programs/test_reconstruct.py",
    "tests/rendering/test_render_mesh_backends.py",
    "tests/rendering/test_render_mesh_gradients.py",
    "tests/export/test_saved_model.py",
    "tests/serving/test_lifecycle.py",
    "tests/training/test_best_checkpoint.py",
    "tests/benchmarks/",
    "tests/training/test_survival.py",
    "tests/trained/test_pretrained.py",
)
# One process runs these files, whose fixtures of the session would be made twice.
_TOGETHER = (
    "tests/reconstruction/",
    "tests/rendering/gpu_emulation/",
    "tests/training/test_tensorboard",
)


def pytest_collection_modifyitems(items):
    def place(item):
        found = (n for n, start in enumerate(_LONGEST) if item.nodeid.startswith(start))
        return next(found, len(_LONGEST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            together = (start for start in _TOGETHER if nodeid.startswith(start))
            return next(together, super()._split_scope(nodeid))

    return Scheduling(config, log)


_STOCK_TENSORFLOW = pathlib.Path(__file__).with_name("export") / "stock_tensorflow.py"

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


@pytest.fixture(scope="session")
def run_in_stock_tensorflow(tmp_path_factory):
    """Runs calls of signatures where this package cannot be imported."""

    def run(saved_model, calls, library=None):
        """Outputs by call, of inputs by call, whose names are `(call, signature)`."""
        folder = tmp_path_factory.mktemp("stock")
        inputs = {
            f"{call}/{signature}/{name}": value
            for (call, signature), values in calls.items()
            for name, value in values.items()
        }
        np.savez(folder / "calls.npz", **inputs)
        paths = [saved_model, folder / "calls.npz", folder / "results.npz"]
        paths += [library] if library else []
        result = subprocess.run(
            [sys.executable, "-I", _STOCK_TENSORFLOW, *paths],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        outputs = {call: {} for call, _ in calls}
        for path, value in np.load(folder / "results.npz").items():
            call, name = path.split("/")
            outputs[call][name] = value
        return outputs

    return run


@pytest.fixture(scope="session")
def check_portable(run_in_stock_tensorflow):
    """Compares what a portable SavedModel makes with the model and the compiled op."""

    def check(model, folder):
        rng = np.random.default_rng(0)
        calls = {}
        seeds = np.arange(100, 116)
        psi = rng.uniform(0.3, 1.0, 16).astype(np.float32)
        latents = rng.normal(size=[16, model.generator.latent_size])
        latents = latents.astype(np.float32)
        degrees = rng.uniform(-30, 30, [3, 16]).astype(np.float32)
        for n in (1, 3, 16):
            of_seed = {"seed": seeds[:n], "truncation_psi": psi[:n]}
            of_latent = {"latent": latents[:n], "truncation_psi": psi[:n]}
            names = ("yaw_degrees", "pitch_degrees", "roll_degrees")
            angles = dict(zip(names, degrees[:, :n], strict=True))
            for signature in ("generate", "map_seed"):
                calls[f"{signature}-{n}", signature] = of_seed
            for signature in ("generate_from_latent", "map"):
                calls[f"{signature}-{n}", signature] = of_latent
            calls[f"render_latent-{n}", "render_latent"] = {**of_latent, **angles}
            styles = model.styles(seeds[:n], psi[:n, None]).numpy()
            calls[f"synthesize-{n}", "synthesize"] = {"style": styles}
            calls[f"render-{n}", "render"] = {"style": styles, **angles}
        scene, mesh = model.sample(seeds[:3], psi[:3, None]), model.mesh
        calls["render_mesh", "render_mesh"] = {
            "vertices": scene.vertices.numpy(),
            "triangles": np.stack([mesh.triangles] * 3),
            "uv": np.stack([mesh.uv] * 3),
            "uv_triangles": np.stack([mesh.uv_triangles] * 3),
            "texture": scene.texture.numpy(),
            "field_of_view_degrees": np.full(
                [3], np.degrees(model.camera.field_of_view), np.float32
            ),
            "pose": np.float32([model.camera.pose] * 3),
            "height": np.full([3], 24, np.int32),
            "width": np.full([3], 24, np.int32),
        }
        outputs = run_in_stock_tensorflow(folder, calls)

        # What is made of some objects does not depend on those beside them.
        for call, signature in calls:
            if call != signature:
                n = int(call.split("-")[1])
                together = outputs[f"{signature}-16"]
                _compare(
                    outputs[call], {name: value[:n] for name, value in together.items()}
                )
        styles = model.styles(seeds, psi[:, None])
        for signature in ("generate", "map_seed"):
            np.testing.assert_allclose(
                outputs[f"{signature}-16"]["style"], styles, atol=1e-5
            )
        of_latents = model.truncate(model.generator.styles(latents), psi[:, None])
        for signature in ("generate_from_latent", "map"):
            np.testing.assert_allclose(
                outputs[f"{signature}-16"]["style"], of_latents, atol=1e-5
            )
        _check_scene(model, outputs["generate-16"], styles)
        _check_scene(model, outputs["synthesize-16"], styles)
        _check_scene(model, outputs["generate_from_latent-16"], of_latents)
        for i in range(3):
            angles = [float(angle) for angle in degrees[:, i]]
            for call, of_objects in (
                ("render-16", styles),
                ("render_latent-16", of_latents),
            ):
                drawn = _draw(model, model.synthesize(of_objects[i : i + 1]), *angles)
                _compare({k: v[i : i + 1] for k, v in outputs[call].items()}, drawn)
        drawn = _draw(model, scene, resolution=24, pivot=(0.0, 0.0, 0.0))
        # Its picture has no lamps, and its mesh is where it is.
        del drawn["picture"], outputs["render_mesh"]["picture"]
        _compare(outputs["render_mesh"], drawn)

    return check


def _check_scene(model, outputs, styles):
    scene = model.synthesize(styles)
    for name in ("vertices", "texture", "background"):
        np.testing.assert_allclose(outputs[name], getattr(scene, name), atol=1e-5)
    for name in ("triangles", "uv", "uv_triangles"):
        expected = getattr(model.mesh, name)
        for found in outputs[name]:
            np.testing.assert_array_equal(found, expected)


def _draw(model, scene, *angles, **options):
    """What the compiled op draws, in the shapes of the signatures."""
    names = ("picture", "depth", "normals", "mask")
    drawn = model.draw(scene, *angles, **options, outputs=names)
    return {**drawn, "depth": drawn["depth"][..., 0], "mask": drawn["mask"][..., 0]}


def _compare(found, expected):
    """Compares outputs by name.

    Sums over channels are rounded differently for another batch. 2e-6 in a vertex are
    6e-5 pixels at 64 x 64, twice that at 128 x 128, and the outline is a ramp of one
    pixel between colours that differ by up to 2. Normals change faster where a triangle
    is seen from its edge: moving the vertices by 5e-7 changed those of one pixel, which
    a triangle of 0.007 pixels crosses, by up to 7e-4.
    """
    assert set(found) == set(expected)
    for name, value in expected.items():
        # Depth and normals are means over the part of a pixel that shows the object:
        # where it is small, their rounding is large.
        weight = expected["mask"] if name in ("depth", "normals") else np.float32(1)
        weight = weight[..., None] if name == "normals" else weight
        drawn = name in ("picture", "depth", "normals", "mask")
        tolerance = max(2e-4, 3e-6 * value.shape[1]) if drawn else 2e-4
        difference = weight * np.abs(found[name] - value)
        if name == "normals":
            assert np.mean(difference > tolerance) <= 1e-4
            tolerance = 2e-3
        assert difference.max() <= tolerance, name


@pytest.fixture(autouse=True)
def fixed_seeds():
    """Seeds each generator of random numbers before each test."""
    import tensorflow as tf

    random.seed(0)
    np.random.seed(0)
    tf.random.set_seed(0)


@pytest.fixture
def run_example(tmp_path, monkeypatch, capsys):
    """Runs an example of a page in an empty folder, and returns what it prints."""

    def run(example):
        monkeypatch.chdir(tmp_path)
        exec(example, {})
        return capsys.readouterr().out

    return run


@pytest.fixture
def run_in_process(monkeypatch):
    """Runs the main function of a program in this process: `run(name, *arguments)`.

    Programs have flags of the same names, but absl keeps those of all modules together.
    So each program is imported anew, after the flags of other programs are forgotten.
    """
    from absl import flags
    from absl.testing import flagsaver

    from tf_unsup3d.programs import cli

    # It cannot be undone, and would slow down the tests that follow in this process.
    monkeypatch.setattr(cli, "make_repeatable", lambda: None)

    def run(name, *arguments):
        for module, defined in flags.FLAGS.flags_by_module_dict().items():
            if module.startswith("tf_unsup3d.programs."):
                for flag in list(defined):
                    delattr(flags.FLAGS, flag.name)
        sys.modules.pop(f"tf_unsup3d.programs.{name}", None)
        program = importlib.import_module(f"tf_unsup3d.programs.{name}")
        with flagsaver.flagsaver():
            flags.FLAGS([name, *arguments])
            program.main([])

    return run
