"""Reads gin files and bindings."""

import pathlib
import re
from collections.abc import Sequence

import gin

from tf_unsup3d.errors import UserError

_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
_INCLUDE = re.compile(r"""^include\s+['"](.+)['"][ \t]*$""", re.MULTILINE)


def read_configs(files: Sequence[str], bindings: Sequence[str] = ()) -> None:
    """Sets the gin parameters of files, then of bindings.

    A relative name like `gin_configs/heads64.gin`, also one after `include`, is looked
    up in the current folder first, then among the experiments that come with the
    package. What a file includes is read before the file itself. The modules whose
    parameters are set must have been imported.

    Args:
      files: names of gin files; a later one overrides an earlier one.
      bindings: such as `"Trainer.batch_size = 16"`; these override the files.

    Raises:
      UserError: a file is missing, or a line of it or a binding is not understood.
    """
    for name in files:
        _read_file(name)
    for binding in bindings:
        _parse(binding, source=f"--gin_bindings={binding!r}")
    gin.finalize()


def find_config(name: str) -> pathlib.Path:
    """Finds a gin file in the current folder or among those of the package.

    Args:
      name: an absolute or relative file name.

    Returns:
      The path of the file.

    Raises:
      UserError: there is no such file.
    """
    # An installed package holds the experiments; a checkout has them beside it.
    for folder in (pathlib.Path(), _PACKAGE, _PACKAGE.parent):
        path = folder / name
        if path.is_file():
            return path
    raise UserError(f"no such gin file: {name}")


def _read_file(name: str) -> None:
    path = find_config(name)
    # gin's own search fails on a folder that is also on Python's path, hence not its
    # include statement. Lines keep their numbers.
    text = path.read_text()
    for included in _INCLUDE.findall(text):
        _read_file(included)
    _parse(_INCLUDE.sub("", text), source=str(path))


def _parse(text: str, source: str) -> None:
    try:
        gin.parse_config(text)
    except (ValueError, SyntaxError, TypeError) as error:
        raise UserError(f"{source}: {' '.join(str(error).split())}") from error
