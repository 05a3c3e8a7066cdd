"""The configuration of a run is a plain value."""

import dataclasses
import pathlib
import re

import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.geometry.portrait_viewpoints import PortraitViewpoints
from tf_unsup3d.geometry.viewpoints import UniformViewpoints
from tf_unsup3d.rendering.camera import PinholeCamera
from tf_unsup3d.trained import configuration as configuration_module
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.configuration import Configuration

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPERIMENTS = sorted((ROOT / "gin_configs").rglob("*.gin"))


def of_bindings(*bindings):
    return Configuration.from_files([], bindings)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiments_make_objects_that_fit(path):
    configuration = Configuration.from_files([str(path)])
    assert configuration.resolution in (32, 64, 128)
    assert configuration.make_renderer().resolution == configuration.resolution
    limits = configuration.viewpoints.limits
    if "viewpoint" not in path.stem and "background" not in path.stem:
        assert configuration.renderer["background_range"] == limits[:2]


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_a_configuration_is_the_same_after_writing(path, tmp_path):
    configuration = Configuration.from_files([str(path)])
    written = tmp_path / "config.gin"
    written.write_text(configuration.to_gin())
    assert Configuration.from_run_file(written) == configuration
    # It also starts the same run again.
    assert Configuration.from_files([str(written)]) == configuration


def test_defaults_are_written_out():
    text = of_bindings("Renderer.resolution = 128").to_gin()
    for line in (
        "Renderer.resolution = 128",
        "Renderer.margin = 1.0",
        "Renderer.lamps = None",
        "Generator.subdivisions = 32",
        "Trainer.viewpoints = @UniformViewpoints()",
        "UniformViewpoints.limits = (60.0, 15.0, 0.0)",
    ):
        assert f"\n{line}\n" in f"\n{text}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gin_configs" / "ablations").iterdir()), ids=lambda p: p.stem
)
def test_ablations_change_one_thing(path):
    """Of a recipe, or of another ablation."""
    lines = [line for line in path.read_text().splitlines() if line[:1] != "#"]
    recipe = r"include 'gin_configs/(heads32|faces32|ablations/\w+)\.gin'"
    assert re.fullmatch(recipe, lines[0])
    # What would follow from the change is kept as it is in the recipe.
    changed = [line for line in lines[1:] if "= (60.0, 15.0)" not in line]
    assert len(changed) == 1


def test_former_names_still_serve():
    former = of_bindings(
        "Trainer.resolution = 32",
        "Renderer.subdivisions = 8",
        "Generator.subdivisions = 8",
        "Renderer.background_extent = (1.0, 2.0)",
        "Trainer.strategy = None",
    )
    assert former == of_bindings(
        "Renderer.resolution = 32",
        "Generator.subdivisions = 8",
        "Renderer.background_range = (1.0, 2.0)",
    )
    with pytest.raises(UserError, match=r"Renderer\.subdivisions and Generator\.sub"):
        of_bindings("Renderer.subdivisions = 8", "Generator.subdivisions = 16")


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        (
            "UniformViewpoints.limits = (45.0, 10.0, 0.0)",
            r"UniformViewpoints\.limits has no effect, because Trainer\.viewpoints is "
            r"@PortraitViewpoints\(\)",
        ),
        (
            "CosineDecay.final = 0.2",
            r"CosineDecay\.final has no effect, because Trainer\.rate_decay is None",
        ),
    ],
)
def test_bindings_without_effect_are_refused(binding, message):
    faces = str(ROOT / "gin_configs" / "faces64.gin")
    with pytest.raises(UserError, match=message):
        Configuration.from_files([faces], [binding])
    # Of files, a later one may choose another object.
    assert "UniformViewpoints" not in Configuration.from_files([faces]).to_gin()
    # So may the files that a binding includes.
    included = Configuration.from_files([], [f"include '{faces}'"])
    assert included == Configuration.from_files([faces])


def test_bindings_may_use_the_macros_of_files(tmp_path):
    file = tmp_path / "wide.gin"
    file.write_text("wide = 90.0\nTrainer.viewpoints = @UniformViewpoints()\n")
    binding = "UniformViewpoints.limits = (%wide, 15.0, 0.0)"
    found = Configuration.from_files([str(file)], [binding])
    assert found.viewpoints == UniformViewpoints((90.0, 15.0, 0.0))


def test_objects_that_are_there_by_default_take_bindings():
    camera = of_bindings("PinholeCamera.field_of_view = 0.4").renderer["camera"]
    assert camera == PinholeCamera(field_of_view=0.4)
    assert of_bindings().renderer["camera"] == PinholeCamera()
    lamps = of_bindings("Renderer.lamps = @RandomLamps()", "RandomLamps.azimuth = 9.0")
    assert lamps.renderer["lamps"].azimuth == 9.0


def test_a_class_may_inherit_its_constructor(monkeypatch):
    class Own(UniformViewpoints):
        """What a user may add."""

    classes = {**configuration_module._CLASSES, "Own": Own}
    monkeypatch.setattr(configuration_module, "_CLASSES", classes)
    objects = {**configuration_module._OBJECTS, ("Trainer", "viewpoints"): ("Own",)}
    monkeypatch.setattr(configuration_module, "_OBJECTS", objects)
    bindings = ("Trainer.viewpoints = @Own()", "Own.limits = (9.0, 8.0, 7.0)")
    assert of_bindings(*bindings).viewpoints == Own((9.0, 8.0, 7.0))


@pytest.mark.parametrize("name", model_folder.pretrained_names())
def test_published_configurations_are_as_they_were(name):
    folder = model_folder.find_folder(f"pretrained:{name}")
    configuration = model_folder.read_configuration(folder)
    resolution = 128 if name == "faces128" else 64
    assert configuration.resolution == resolution
    assert configuration.training.r1_gamma == {64: 0.2, 128: 0.5}[resolution]
    assert configuration.generator["latent_size"] == 128
    viewpoints = {
        "faces128": PortraitViewpoints((22.7, 12.0, 0.5)),
        "faces64": PortraitViewpoints((22.7, 12.0, 0.5)),
        "heads64": UniformViewpoints((60.0, 15.0, 0.0)),
    }[name]
    assert configuration.viewpoints == viewpoints
    assert configuration.renderer["background_range"] == viewpoints.limits[:2]
    assert configuration.renderer["lamps"].azimuth == 70.0


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("Optimizer.rate = 1", "there is no 'Optimizer' to configure"),
        ("Trainer.rate = 1", "Trainer has no parameter 'rate'"),
        ("Discriminator.resolution = 32", "Discriminator has no parameter"),
        ("Generator.name = 'x'", "Generator has no parameter 'name'"),
        ("Generator.latent_size = 8.5", "Generator.latent_size must be a whole number"),
        (
            "Generator.latent_size = True",
            "Generator.latent_size must be a whole number",
        ),
        ("Generator.symmetric_shape = 1", "must be True or False, got 1"),
        ("Generator.radius = 'big'", "Generator.radius must be a number, got 'big'"),
        ("Generator.radius = 1e999", "Generator.radius must be a number, got inf"),
        (f"Generator.radius = 1{400 * '0'}", "Generator.radius must be a number"),
        (f"Trainer.seed = {2**32}", "Trainer.seed must be below 2**32"),
        ("Generator.level_weights = 3", "must be a tuple of numbers, got 3"),
        ("Generator.level_weights = ('a',)", "must be a tuple of numbers"),
        ("Generator.level_weights = ((1.0, 2.0),)", "must be a tuple of numbers"),
        ("Generator.radius = {1: 2}", "Generator.radius must be a number"),
        ("Generator.latent_size = 0", "Generator.latent_size"),
        ("Generator.texture_resolution = 65", "Generator.texture_resolution"),
        ("Generator.channel_max = 1_000_000_000", "Generator.channel_max"),
        ("Generator.mapping_depth = 1_000_000", "Generator.mapping_depth"),
        ("Generator.subdivisions = 100_000", "Generator.subdivisions"),
        ("Trainer.batch_size = 0", "Trainer.batch_size must be positive"),
        ("Trainer.steps = -1", "Trainer.steps must not be negative"),
        ("Trainer.viewpoints = @Generator()", "must be @UniformViewpoints() or @Gauss"),
        ("Trainer.viewpoints = (1, 2, 3)", "must be @UniformViewpoints() or @Gauss"),
        ("UniformViewpoints.limits = (60.0,)", "UniformViewpoints.limits"),
        ("Renderer.resolution = 1_000_000", "Renderer.resolution must be from 1"),
        ("Renderer.background_range = (1.0,)", "Renderer.background_range must be two"),
        ("Renderer.background_coverage = 0.5", "Renderer.background_coverage must be"),
        ("Renderer.backend = 'gpu'", "Renderer.backend must be one of"),
        ("Renderer.lamps = @os.system()", "must be @RandomLamps(), got @system()"),
    ],
)
def test_what_makes_no_sense_ends_in_one_line(binding, message):
    with pytest.raises(UserError) as raised:
        configuration = of_bindings(binding)
        configuration.make_renderer()
        configuration.make_generator()
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_training_settings_are_immutable():
    configuration = of_bindings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        configuration.training.steps = 3
