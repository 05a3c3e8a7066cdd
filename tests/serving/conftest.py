import pytest


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """A model of one version. Tests that change it make a copy."""
    from tests.serving.toy_model import write_version

    folder = tmp_path_factory.mktemp("models") / "toy"
    write_version(folder, 1)
    return folder


@pytest.fixture(scope="session")
def toy(toy_folder):
    from tf_unsup3d.serving.saved_model import SavedModel

    return SavedModel(toy_folder / "1")
