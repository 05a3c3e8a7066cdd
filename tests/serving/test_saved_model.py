"""Loading and running a version, and what is wrong with a damaged one."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.request_error import RequestError
from tf_unsup3d.serving.saved_model import SavedModel


def test_signatures_are_those_of_the_file(toy):
    signatures = {name: function.signature for name, function in toy.functions.items()}
    scale = signatures["serving_default"]
    (x,) = scale.inputs.values()
    assert (x.name, x.dtype, x.shape) == ("x", tf.float32, (None, 2))
    assert scale.batched and signatures["echo"].batched
    assert not signatures["sum"].batched
    assert signatures["render"].inputs.keys() == {
        "style",
        "yaw_degrees",
        "pitch_degrees",
        "roll_degrees",
    }


def test_signatures_run(toy):
    outputs = toy.functions["serving_default"].run({"x": np.ones([3, 2], np.float32)})
    np.testing.assert_array_equal(outputs["y"], np.ones([3, 2]))


def test_a_chain_calls_signatures_one_after_the_other(toy):
    chain = toy.chain(("map_seed", "render"))
    assert chain is toy.chain(("map_seed", "render"))
    assert chain.signature.batched
    angles = {f"{name}_degrees": np.zeros(2) for name in ("yaw", "pitch", "roll")}
    seed = {"seed": np.array([20, 30]), "truncation_psi": np.array([0.5, 0.7])}
    assert chain.signature.inputs.keys() == {*seed, *angles}
    picture = chain.run({**seed, **angles})["picture"]
    np.testing.assert_allclose(picture[:, 0, 0], [[0.2, 0.5, 0], [0.3, 0.7, 0]])
    assert toy.chain(("map_seed", "missing")) is None


def test_an_error_of_the_model_is_one_line_with_its_status(toy):
    with pytest.raises(RequestError) as caught:
        toy.functions["invert"].run({"x": np.zeros([1], np.float32)})
    assert caught.value.status == 400
    assert caught.value.message == "division : Tensor had Inf values"


def test_warming_up_tries_what_zeros_can_be_made_for(toy, monkeypatch):
    runs = []

    def counted(name, function):
        def run(inputs):
            runs.append(name)
            return function.run(inputs)

        return dataclasses.replace(function, run=run)

    functions = {name: counted(name, each) for name, each in toy.functions.items()}
    monkeypatch.setattr(toy, "functions", functions)
    toy.warm_up((1, 2), lambda: False)
    assert runs.count("serving_default") == runs.count("render") == 2
    # It fails on zeros, which is no reason to try larger ones.
    assert runs.count("invert") == 1
    assert "sum" not in runs and "echo" not in runs
    runs.clear()
    toy.warm_up((1, 2), lambda: True)
    assert runs == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("saved_model.pb", b"", "no graph with the tag 'serve'"),
        ("saved_model.pb", b"\xff\xff\xff", "is damaged"),
        ("saved_model.pb", None, "cannot read .*saved_model.pb: No such file"),
        ("variables/variables.index", b"", "cannot load the SavedModel"),
        ("variables/variables.data-00000-of-00001", None, "cannot load the SavedModel"),
    ],
)
def test_damage_is_named_in_one_line(toy_folder, tmp_path, name, content, message):
    folder = tmp_path / "1"
    shutil.copytree(toy_folder / "1", folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        SavedModel(folder)
    assert "\n" not in str(caught.value)


def test_a_model_without_signatures_cannot_be_served(tmp_path):
    tf.saved_model.save(tf.Module(), tmp_path / "1")
    with pytest.raises(UserError, match="no signatures"):
        SavedModel(tmp_path / "1")
