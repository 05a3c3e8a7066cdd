"""What the flags of the service mean; tests/serving has the service."""

import pytest

from tf_unsup3d.errors import UserError
from tf_unsup3d.serving import server
from tf_unsup3d.serving.limits import Limits


def test_flags_become_the_address_the_name_and_the_limits(
    run_in_process, tmp_path, monkeypatch
):
    folder = tmp_path / "heads"
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "saved_model.pb").touch()
    calls = []

    def serve(*arguments, **options):
        calls.append((*arguments, options))
        return True

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(server, "log_to_stderr", lambda: None)
    run_in_process("serve", f"--model={folder}")
    run_in_process(
        "serve",
        f"--model={folder}",
        *("--name=faces", "--host=0.0.0.0", "--port=80"),
        *("--batch_size=3", "--queue_size=7", "--body_megabytes=2"),
        *("--picture_size=99", "--request_seconds=1.5", "--receive_seconds=2.5"),
    )
    local = {"host": "127.0.0.1", "port": 8501, "limits": Limits()}
    limits = Limits(
        batch_size=3,
        queue_size=7,
        body_bytes=2 * 2**20,
        picture_size=99,
        request_seconds=1.5,
        receive_seconds=2.5,
    )
    assert calls == [
        (folder, "heads", local),
        (folder, "faces", {"host": "0.0.0.0", "port": 80, "limits": limits}),
    ]


@pytest.mark.parametrize("name", ["", "a/b"])
def test_names_that_no_path_can_have(run_in_process, tmp_path, name):
    with pytest.raises(UserError, match="--name=.*: must be a name without slashes"):
        run_in_process("serve", f"--model={tmp_path}", f"--name={name}")


def test_a_queue_holds_the_largest_request(run_in_process, tmp_path):
    flags = "--batch_size=64", "--queue_size=16"
    with pytest.raises(UserError, match="--queue_size must be at least --batch_size"):
        run_in_process("serve", f"--model={tmp_path}", *flags)
