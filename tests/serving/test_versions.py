"""The newest complete version is served, and nothing that is broken."""

import asyncio
import shutil

import numpy as np
import pytest

from tests.serving.toy_model import write_version
from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.request_error import RequestError
from tf_unsup3d.serving.versions import Versions


@pytest.fixture(scope="module")
def two(toy_folder, tmp_path_factory):
    """The folder of a second version."""
    return write_version(tmp_path_factory.mktemp("versions"), 2)


@pytest.fixture
def folder(toy_folder, tmp_path):
    return shutil.copytree(toy_folder, tmp_path / "toy")


def states(versions):
    return {each["version"]: each["state"] for each in versions.statuses()}


def factor(versions):
    with versions.using() as model:
        return model.functions["serving_default"].run(
            {"x": np.ones([1, 2], np.float32)}
        )["y"][0, 0]


def run(folder, scenario):
    async def main():
        versions = Versions(folder, (), Metrics())
        await versions.load_first()
        await scenario(versions)

    asyncio.run(main())


def test_the_newest_version_is_served_first(folder, two):
    shutil.copytree(two, folder / "2")

    async def scenario(versions):
        assert factor(versions) == 2.0 and versions.current.number == 2

    run(folder, scenario)


def test_a_new_version_takes_over_once_it_is_complete(folder, two):
    async def scenario(versions):
        await versions.look()
        (folder / "2" / "variables").mkdir(parents=True)
        shutil.copy(two / "saved_model.pb", folder / "2")
        await versions.look()
        for path in (two / "variables").iterdir():
            shutil.copy(path, folder / "2" / "variables")
        # It has changed since it was seen first.
        await versions.look()
        assert factor(versions) == 1.0 and states(versions) == {"1": "AVAILABLE"}
        await versions.look()
        assert factor(versions) == 2.0
        assert states(versions) == {"2": "AVAILABLE", "1": "END"}

    run(folder, scenario)


def test_the_old_version_is_kept_for_the_requests_that_use_it(folder, two):
    async def scenario(versions):
        with versions.using() as model:
            shutil.copytree(two, folder / "2")
            await versions.look()
            await versions.look()
            assert states(versions) == {"2": "AVAILABLE", "1": "UNLOADING"}
            assert factor(versions) == 2.0
            outputs = model.functions["serving_default"].run(
                {"x": np.ones([1, 2], np.float32)}
            )
            assert outputs["y"][0, 0] == 1.0
        assert states(versions) == {"2": "AVAILABLE", "1": "END"}

    run(folder, scenario)


def test_a_broken_version_is_reported_once_and_ignored(folder, two, caplog):
    async def scenario(versions):
        shutil.copytree(two, folder / "2")
        (folder / "2" / "saved_model.pb").write_bytes(b"\xff\xff")
        for _ in range(4):
            await versions.look()
        assert factor(versions) == 1.0
        assert states(versions) == {"2": "END", "1": "AVAILABLE"}
        (status,) = versions.statuses(2)
        assert status["status"]["error_code"] == "UNKNOWN"
        assert "saved_model.pb is damaged" in status["status"]["error_message"]
        (record,) = caplog.records
        assert "version 2 is not served" in record.getMessage()
        # It is tried again when its files change.
        shutil.copy(two / "saved_model.pb", folder / "2")
        await versions.look()
        await versions.look()
        assert factor(versions) == 2.0

    run(folder, scenario)


def test_whatever_is_wrong_with_a_version_it_is_ignored(folder, two, monkeypatch):
    async def scenario(versions):
        shutil.copytree(two, folder / "2")
        monkeypatch.setattr(
            "tf_unsup3d.serving.versions.SavedModel", lambda path: 1 / 0
        )
        for _ in range(3):
            await versions.look()
        assert factor(versions) == 1.0
        (status,) = versions.statuses(2)
        assert "ZeroDivisionError" in status["status"]["error_message"]

    run(folder, scenario)


def test_the_version_before_takes_over_from_one_that_disappears(folder, two):
    shutil.copytree(two, folder / "2")

    async def scenario(versions):
        shutil.rmtree(folder / "2")
        await versions.look()
        await versions.look()
        assert factor(versions) == 1.0
        shutil.rmtree(folder)
        await versions.look()
        await versions.look()
        assert factor(versions) == 1.0

    run(folder, scenario)


def test_the_version_before_a_broken_one_is_served_at_the_start(folder):
    (folder / "2").mkdir()
    (folder / "2" / "saved_model.pb").write_bytes(b"\xff\xff")

    async def scenario(versions):
        assert factor(versions) == 1.0

    run(folder, scenario)


def test_nothing_to_serve_is_an_error(tmp_path):
    versions = Versions(tmp_path, (), Metrics())
    with pytest.raises(UserError, match="no versions in"):
        asyncio.run(versions.load_first())
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(UserError, match="is damaged"):
        asyncio.run(versions.load_first())
    with pytest.raises(RequestError, match="no version .* is loaded") as caught:
        with versions.using():
            pass
    assert caught.value.status == 503


def test_other_versions_are_not_found(folder):
    async def scenario(versions):
        with versions.using(1):
            pass
        for use in (
            versions.statuses,
            lambda number: versions.using(number).__enter__(),
        ):
            with pytest.raises(RequestError) as caught:
                use(7)
            assert caught.value.status == 404

    run(folder, scenario)
