"""Files of weights, written as PyTorch wrote them before version 1.6."""

import collections
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.features.torch_weights import read_state_dict


class FloatStorage:
    def __init__(self, key, values):
        self.key, self.values = key, np.asarray(values, "<f4")


class Rebuilt:
    """A tensor, which a pickle has as a call of PyTorch's function."""

    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, {})

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, FloatStorage):
            return "storage", FloatStorage, obj.key, "cpu", len(obj.values), None
        return None


@pytest.fixture
def torch(monkeypatch):
    """Modules that go by the names of PyTorch's while a file is written."""

    def _rebuild_tensor_v2(*arguments):
        raise AssertionError("only written, never called")

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2
    monkeypatch.setattr(FloatStorage, "__module__", "torch")
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def write(path, state, storages, magic=0x1950A86A20F9469CFC6C):
    with path.open("wb") as file:
        for header in (magic, 1001, {"little_endian": True}):
            pickle.dump(header, file, 2)
        Pickler(file, 2).dump(state)
        pickle.dump([storage.key for storage in storages], file, 2)
        for storage in storages:
            file.write(struct.pack("<q", len(storage.values)))
            file.write(storage.values.tobytes())
    return path


def test_tensors_are_views_of_storages(torch, tmp_path):
    first, second = FloatStorage("1", range(6)), FloatStorage("2", [0.5, -0.5])
    state = collections.OrderedDict(
        rows=Rebuilt(first, 0, (2, 3), (3, 1)),
        columns=Rebuilt(first, 0, (3, 2), (1, 3)),
        rest=Rebuilt(first, 4, (2,), (1,)),
        other=Rebuilt(second, 0, (2,), (1,)),
        number=Rebuilt(second, 1, (), ()),
    )
    found = read_state_dict(write(tmp_path / "weights.pth", state, [second, first]))
    assert list(found) == list(state)
    np.testing.assert_array_equal(found["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["columns"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(found["rest"], [4, 5])
    np.testing.assert_array_equal(found["other"], [0.5, -0.5])
    assert found["number"] == np.float32(-0.5)


class Harmful:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_no_code_in_a_file_is_run(tmp_path):
    path = write(tmp_path / "weights.pth", {"a": Harmful(tmp_path / "made")}, [])
    with pytest.raises(UserError, match="weights.pth is not .*mkdir does not belong"):
        read_state_dict(path)
    assert not (tmp_path / "made").exists()


def test_damaged_files_are_named(torch, tmp_path):
    storage = FloatStorage("1", range(6))
    beyond = {"a": Rebuilt(storage, 2, (6,), (1,))}
    whole = {"a": Rebuilt(storage, 0, (6,), (1,))}
    files = [
        write(tmp_path / "beyond.pth", beyond, [storage]),
        write(tmp_path / "other.pth", whole, [storage], magic=1),
        write(tmp_path / "short.pth", whole, [storage]),
        write(tmp_path / "absent.pth", whole, []),
        tmp_path / "text.pth",
        tmp_path / "gone.pth",
    ]
    files[2].write_bytes(files[2].read_bytes()[:-4])
    files[4].write_text("no weights")
    for path in files:
        with pytest.raises(UserError, match=f"{path.name} is not a file of PyTorch"):
            read_state_dict(path)
    assert read_state_dict(write(tmp_path / "good.pth", whole, [storage]))
