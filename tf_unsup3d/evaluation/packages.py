"""Files that come with packages which only some metrics need."""

import importlib.util
import pathlib

from tf_unsup3d.errors import UserError


def package_file(module: str, path: str, package: str, flag: str) -> pathlib.Path:
    """Finds a file of an optional package, without importing the package.

    Args:
      module: Name of the package in Python.
      path: Path of the file below the folder of the module.
      package: Name of the package on PyPI, part of the extra `metrics`.
      flag: The flag that needs the file, for the message.

    Returns:
      The path of the file.

    Raises:
      UserError: The package is not installed.
    """
    spec = importlib.util.find_spec(module)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = pathlib.Path(folder) / path
        if file.is_file():
            return file
    raise UserError(
        f"{flag} needs the package {package}: pip install 'tf-unsup3d[metrics]'"
    )
