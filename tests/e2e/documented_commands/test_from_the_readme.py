"""The commands of the README, and of the pages that go on from there."""

import shutil

import pytest

from tests.e2e.documented_commands.commands import AFTER_THE_README


@pytest.fixture(scope="module")
def after_the_readme(belongings, follow, tmp_path_factory):
    """The folder of somebody who has followed the README."""
    folder = tmp_path_factory.mktemp("readme") / "folder"
    shutil.copytree(belongings, folder, symlinks=True)
    follow("README.md", folder)
    return folder


def test_the_readme_is_followed(after_the_readme):
    for made in ("samples", "evaluation", "reconstructed", "models/photos64/1"):
        assert list((after_the_readme / made).iterdir()), made
    assert list((after_the_readme / "reconstructed").glob("*.glb"))


@pytest.mark.parametrize("page", AFTER_THE_README)
def test_a_page_is_followed(page, after_the_readme, follow, furnished):
    folder = furnished(page, after_the_readme)
    for made in ("samples", "evaluation", "reconstructed", "models"):
        shutil.rmtree(folder / made)
    (folder / "runs" / "64").symlink_to(folder / "runs" / "photos64")
    follow(page, folder)
