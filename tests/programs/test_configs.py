import pathlib
import re

import gin
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import configs

ROOT = pathlib.Path(__file__).resolve().parents[2]


@gin.configurable(module="test_configs")
def sized_thing(size=1, colour="red"):
    return size, colour


@pytest.fixture(autouse=True)
def cleared_gin():
    with gin.unlock_config():
        yield
        gin.clear_config()


def test_bindings_override_files(tmp_path):
    path = tmp_path / "a.gin"
    path.write_text("sized_thing.size = 2\nsized_thing.colour = 'blue'\n")
    configs.read_configs([str(path)], ["sized_thing.size = 3"])
    assert sized_thing() == (3, "blue")


def test_later_file_overrides_earlier(tmp_path):
    for name, size in (("a.gin", 2), ("b.gin", 4)):
        (tmp_path / name).write_text(f"sized_thing.size = {size}\n")
    configs.read_configs([str(tmp_path / "a.gin"), str(tmp_path / "b.gin")])
    assert sized_thing() == (4, "red")


def test_relative_name_is_found_from_any_folder(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "tf_unsup3d"
    (package / "gin_configs").mkdir(parents=True)
    (package / "gin_configs" / "one.gin").write_text("sized_thing.size = 5\n")
    monkeypatch.setattr(configs, "_PACKAGE", package)
    monkeypatch.chdir(tmp_path)
    configs.read_configs(["gin_configs/one.gin"])
    assert sized_thing() == (5, "red")


def test_file_overrides_what_it_includes(tmp_path, monkeypatch):
    (tmp_path / "gin_configs").mkdir()
    base = tmp_path / "gin_configs" / "base.gin"
    base.write_text("sized_thing.size = 6\nsized_thing.colour = 'green'\n")
    path = tmp_path / "a.gin"
    path.write_text("include 'gin_configs/base.gin'\nsized_thing.size = 7\n")
    monkeypatch.chdir(tmp_path)
    configs.read_configs(["a.gin"])
    assert sized_thing() == (7, "green")


@pytest.mark.parametrize(
    ("binding", "named"),
    [
        ("no_such_thing.size = 1", "no_such_thing"),
        ("sized_thing.weight = 1", "weight"),
        ("sized_thing.size = ", "sized_thing.size"),
        ("sized_thing.size", "sized_thing.size"),
    ],
)
def test_bad_binding_is_one_line_that_names_it(binding, named):
    with pytest.raises(UserError) as raised:
        configs.read_configs([], [binding])
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_file_is_named():
    with pytest.raises(UserError, match=r"gin_configs/nowhere\.gin"):
        configs.read_configs(["gin_configs/nowhere.gin"])


def test_bad_line_in_a_file_is_named(tmp_path):
    path = tmp_path / "bad.gin"
    path.write_text("no_such_thing.size = 1\n")
    with pytest.raises(UserError, match=r"bad\.gin.*no_such_thing"):
        configs.read_configs([str(path)])


EXPERIMENTS = sorted((ROOT / "gin_configs").rglob("*.gin"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiments_set_parameters_that_exist(path):
    from tf_unsup3d.models.configured import Generator, Renderer
    from tf_unsup3d.training.trainer import Trainer

    configs.read_configs([str(path)])
    assert gin.query_parameter("Trainer.resolution") in (32, 64)
    assert Renderer() and Generator()
    # gin finds a parameter that the class lacks when it is read, a wrong reference
    # when it is used.
    gin.query_parameter("Trainer.viewpoints").scoped_configurable_fn()
    assert Trainer


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gin_configs" / "ablations").iterdir()), ids=lambda p: p.stem
)
def test_ablations_change_one_thing(path):
    """Of a recipe, or of another ablation."""
    lines = [line for line in path.read_text().splitlines() if line[:1] != "#"]
    recipe = r"include 'gin_configs/(heads32|faces32|ablations/\w+)\.gin'"
    assert re.fullmatch(recipe, lines[0]) and len(lines) == 2
