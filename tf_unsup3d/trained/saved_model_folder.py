"""The folder of a SavedModel as TensorFlow Serving wants it, with numbered versions.

    FOLDER/1/saved_model.pb, variables/
    FOLDER/1/assets.extra/   what TensorFlow does not read
    FOLDER/2/...

`assets.extra` holds the published form of the generator (see
`tf_unsup3d.trained.model_folder`), so that the whole trained model can be loaded again.
"""

import pathlib

from tf_unsup3d.files import reading

GRAPH_NAME = "saved_model.pb"
EXTRA_NAME = "assets.extra"


def find_versions(folder: pathlib.Path) -> list[int]:
    """Lists the versions of a served model.

    Args:
      folder: Folder with a subfolder for each version. It need not exist.

    Returns:
      The numbers of the versions that hold a SavedModel, ascending.

    Raises:
      UserError: The folder cannot be read.
    """
    if not folder.is_dir():
        return []
    with reading(folder):
        names = [path.name for path in folder.iterdir()]
    return sorted(
        int(name)
        for name in names
        # int() also takes other digits than those of ASCII, and leading zeros.
        if name.isdecimal()
        and str(int(name)) == name
        and (folder / name / GRAPH_NAME).is_file()
    )


def published_form(folder: pathlib.Path) -> pathlib.Path | None:
    """Finds the published generator in a SavedModel.

    Args:
      folder: Folder of one version, or of all versions, of which the newest is taken.

    Returns:
      The folder of the published generator, or None if `folder` is neither.

    Raises:
      UserError: The folder cannot be read.
    """
    if not (folder / GRAPH_NAME).is_file():
        versions = find_versions(folder)
        if not versions:
            return None
        folder = folder / str(versions[-1])
    return folder / EXTRA_NAME
