"""gin files are read as data."""

import pathlib

import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.trained import gin_files
from tf_unsup3d.trained.gin_files import Reference


def write(path, text):
    path.write_text(text)
    return str(path)


def test_values_of_every_kind(tmp_path):
    text = """
# A comment.
A.number = -1.5e-3
A.whole = 100_000
A.flag = True
A.nothing = None
A.text = 'red' "der"
A.tuple = (1.0, [2, 3],
           ())
B.reference = @module.C()
B:
    first = 1
    second = %shared
shared = (60.0, %half)
half = 15.0
"""
    read = gin_files.read_bindings([write(tmp_path / "a.gin", text)])
    assert read == {
        "A": {
            "number": -1.5e-3,
            "whole": 100_000,
            "flag": True,
            "nothing": None,
            "text": "redder",
            "tuple": (1.0, (2, 3), ()),
        },
        "B": {"reference": Reference("C"), "first": 1, "second": (60.0, 15.0)},
    }
    again = tmp_path / "again.gin"
    again.write_text(gin_files.format_bindings(read))
    assert gin_files.read_complete_file(again) == read


def test_later_files_and_bindings_override(tmp_path):
    first = write(tmp_path / "a.gin", "A.size = 1\nA.colour = 'blue'\n")
    second = write(tmp_path / "b.gin", "A.size = 2\n")
    read = gin_files.read_bindings([first, second])
    assert read == {"A": {"size": 2, "colour": "blue"}}
    read = gin_files.read_bindings([first, second], ["A.size = 3"])
    assert read == {"A": {"size": 3, "colour": "blue"}}


def test_a_file_overrides_what_it_includes(tmp_path, monkeypatch):
    (tmp_path / "gin_configs").mkdir()
    write(tmp_path / "gin_configs" / "base.gin", "A.size = 6\nA.colour = 'green'\n")
    write(tmp_path / "a.gin", "include 'gin_configs/base.gin'\nA.size = 7\n")
    monkeypatch.chdir(tmp_path)
    assert gin_files.read_bindings(["a.gin"]) == {"A": {"size": 7, "colour": "green"}}


def test_experiments_are_found_from_any_folder(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "tf_unsup3d"
    (package / "gin_configs").mkdir(parents=True)
    write(package / "gin_configs" / "one.gin", "A.size = 5\n")
    monkeypatch.setattr(gin_files, "_PACKAGE", package)
    monkeypatch.chdir(tmp_path)
    assert gin_files.read_bindings(["gin_configs/one.gin"]) == {"A": {"size": 5}}


def test_a_missing_file_is_named():
    with pytest.raises(UserError, match=r"no such gin file: gin_configs/nowhere\.gin"):
        gin_files.read_bindings(["gin_configs/nowhere.gin"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import this\n", "'import this' is refused"),
        ("from os import system\n", "'from os import system' is refused"),
        (
            "A.size = 1\nfrom __gin__ import dynamic_registration\nimport os\n",
            "refused",
        ),
        ("A.size = @os.system\n", "@os.system is not supported"),
        ("A.size = @scope/B()\n", "@scope/B is not supported"),
        ("scope/A.size = 1\n", "scopes such as scope/"),
        ("A.size = open('x')\n", "line 1"),
        ("A.size = __import__('os')\n", "line 1"),
        ("A.size = \n", "line 1"),
        ("A.size\n", "line 1"),
        ("A.size = 1\nB.size = = 2\n", "line 2"),
        ("A.size = (1, 2\n", "not closed"),
        ("A.size = '''x\n", "bad.gin"),
        ("A.size = %nothing\n", "%nothing is bound to no value"),
        ("a = %b\nb = %a\nA.size = %a\n", "is bound to no value"),
        (
            "x0 = 1\n"
            + "".join(f"x{n + 1} = {'(' * 90}%x{n}{',)' * 90}\n" for n in range(19))
            + "A.size = %x19\n",
            "nested too deeply",
        ),
        (
            "x0 = 1\n"
            + "".join(f"x{n + 1} = (%x{n}, %x{n})\n" for n in range(40))
            + "A.size = %x40\n",
            "too many values",
        ),
        (
            "x0 = 1\n"
            + "".join(f"x{n + 1} = %x{n}\n" for n in range(1500))
            + "A.size = %x1500\n",
            "macros within macros",
        ),
        ("A.size = " + "(" * 5000 + ")" * 5000 + "\n", "bad.gin"),
        ("A.size = " + "9" * 10_000 + "\n", "bad.gin"),
        ("\x00", "bad.gin"),
        ("include 'bad.gin'\n", "bad.gin includes itself"),
        ("include 'nowhere.gin'\n", "no such gin file: nowhere.gin"),
        ("include 3\n", "line 1"),
    ],
)
def test_what_is_no_data_ends_in_one_line(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    path = pathlib.Path("bad.gin")
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        gin_files.read_bindings([str(path)])
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_files_of_models_are_complete(tmp_path):
    write(tmp_path / "base.gin", "A.size = 1\n")
    path = tmp_path / "config.gin"
    path.write_text(f"include '{tmp_path / 'base.gin'}'\n")
    with pytest.raises(UserError, match="here a file must be complete"):
        gin_files.read_complete_file(path)


def test_files_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "config.gin"
    path.write_bytes(b"A.size = '\xff\xfe'\n")
    with pytest.raises(UserError, match=r"config\.gin is not UTF-8 text"):
        gin_files.read_complete_file(path)
    path.write_bytes(b"#" * 2_000_000)
    with pytest.raises(UserError, match="too large"):
        gin_files.read_complete_file(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="cannot read"):
        gin_files.read_complete_file(path)
