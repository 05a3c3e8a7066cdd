"""Weights in files that may come from a stranger."""

import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.weights import read_weights, write_weights


@pytest.fixture(scope="module")
def generator(small_bindings):
    return Configuration.from_files([], small_bindings).make_generator()


@pytest.fixture
def path(generator, tmp_path):
    write_weights(generator, tmp_path / "generator.npz")
    return tmp_path / "generator.npz"


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def replace(path, value):
    content = arrays(path)
    name = sorted(content)[3]
    np.savez_compressed(path, **{**content, name: value(content[name])})


def not_a_number(path):
    def spoil(array):
        array.flat[0] = np.nan
        return array

    replace(path, spoil)


def drop_an_array(path):
    content = arrays(path)
    content.pop(sorted(content)[0])
    np.savez_compressed(path, **content)


def pickled(path):
    class Payload:
        def __reduce__(self):
            return (open, (str(path.with_name("run")), "w"))

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in sorted(arrays(path).items())[1:]:
            member = io.BytesIO()
            np.lib.format.write_array(member, array)
            archive.writestr(f"{name}.npy", member.getvalue())
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|O", "fortran_order": False, "shape": (1,)}
        )
        archive.writestr("000.npy", header.getvalue() + pickle.dumps(Payload()))
    path.write_bytes(content.getvalue())


def with_header(text):
    """Replaces the header of an array by another text of the same length."""

    def spoil(path):
        content = io.BytesIO()
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
            for name in sorted(old.namelist()):
                member = bytearray(old.read(name))
                if name == "000.npy":
                    length = int.from_bytes(member[8:10], "little")
                    header = text.encode().ljust(length - 1) + b"\n"
                    member[10 : 10 + length] = header
                new.writestr(name, bytes(member))
        path.write_bytes(content.getvalue())

    return spoil


def with_bad_lzma(path):
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old:
        names = sorted(old.namelist())
        with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as new:
            for name in names:
                new.writestr(name, old.read(name))
    spoilt = bytearray(content.getvalue())
    # Behind the header of the first member and the properties of its compression.
    start = 30 + len(names[0]) + 9
    spoilt[start : start + 64] = 64 * b"\xff"
    path.write_bytes(spoilt)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (halve, "is damaged"),
        (with_header("{'descr': ("), "is damaged"),
        (with_header("{[]: 1}"), "is damaged"),
        (with_bad_lzma, "is damaged"),
        (flip_a_byte, "generator.npz"),
        (lambda path: path.write_bytes(b"no weights"), "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.unlink(), "cannot read"),
        (lambda path: replace(path, lambda a: a.astype(str)), "not floating point"),
        (lambda path: replace(path, lambda a: a.astype(object)), "not floating point"),
        (lambda path: replace(path, lambda a: a.astype(int)), "not floating point"),
        (lambda path: replace(path, lambda a: a[..., None]), "does not fit"),
        (not_a_number, "not finite"),
        (drop_an_array, "does not fit"),
        (pickled, "not floating point"),
    ],
)
def test_bad_files_are_named_and_change_nothing(generator, path, spoil, message):
    before = generator.get_weights()
    spoil(path)
    with pytest.raises(UserError) as raised:
        read_weights(generator, path)
    assert message in str(raised.value) and "generator.npz" in str(raised.value)
    assert "\n" not in str(raised.value)
    for old, new in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not path.with_name("run").exists()


def test_what_unpacks_to_something_else_is_not_unpacked(generator, path):
    content = arrays(path)
    name = sorted(content)[0]
    header = io.BytesIO()
    shape = (3_000, 3_000)
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in content.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                if key != name:
                    np.lib.format.write_array(member, array)
                    continue
                member.write(header.getvalue())
                for _ in range(shape[0]):
                    member.write(bytes(4 * shape[1]))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="does not fit the configuration"):
            read_weights(generator, path)
        # Of the 36 MB that the file unpacks to.
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("value", [1e6, np.nan])
def test_weights_beyond_half_precision_are_refused(generator, tmp_path, value):
    variable = generator.variables[0]
    before = variable.numpy()
    variable.assign(np.full_like(before, value))
    try:
        with pytest.raises(UserError, match="beyond the range of float16"):
            write_weights(generator, tmp_path / "generator.npz")
        assert not (tmp_path / "generator.npz").exists()
    finally:
        variable.assign(before)
