"""The program from its start to its end, and what it serves."""

import concurrent.futures
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from benchmarks.server_process import ServerProcess
from tests.serving.toy_model import has_begun, hold_body, write_version
from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.model_source import served_folder
from tf_unsup3d.serving.server import serve

PREDICT = "/v1/models/toy:predict"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return write_version(tmp_path_factory.mktemp("versions"), 2)


def factor(server):
    response = requests.post(server.url + PREDICT, json={"inputs": [[1, 0]]})
    assert response.status_code == 200, response.text
    return response.json()["outputs"][0][0]


def state(server, number):
    response = requests.get(f"{server.url}/v1/models/toy/versions/{number}")
    if response.status_code == 404:
        return None
    return response.json()["model_version_status"][0]["state"]


def hold(server, end):
    """Keeps the model busy until there is a file."""
    return requests.post(server.url + PREDICT, json=hold_body(end))


def test_versions_change_and_the_end_waits_for_answers(toy_folder, two, tmp_path):
    folder = shutil.copytree(toy_folder, tmp_path / "toy")
    sizes = "--queue_size=15", "--batch_size=15"
    server = ServerProcess(f"--model={folder}", *sizes, "--request_seconds=600")
    end = tmp_path / "end"
    try:
        server.wait_until_ready()
        # A new version takes over while requests go on, none of which fails.
        stop = threading.Event()

        def ask():
            factors = []
            while not stop.is_set():
                factors.append(factor(server))
            return factors

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            try:
                shutil.copytree(two, folder / "2")
                server.wait_for(lambda: state(server, 2) == "AVAILABLE")
                server.wait_for(lambda: state(server, 1) == "END")
            finally:
                stop.set()
            for future in asking:
                assert sorted(future.result()) == future.result()
                assert set(future.result()) <= {1.0, 2.0}
        assert factor(server) == 2.0

        # A broken one changes nothing.
        (folder / "3").mkdir()
        (folder / "3" / "saved_model.pb").write_bytes(b"\xff\xff")
        server.wait_for(lambda: state(server, 3) == "END")
        assert factor(server) == 2.0
        server.wait_for(
            lambda: any("version 3 is not served" in line for line in server.log)
        )

        # A full queue refuses; what it has accepted is answered before the end.
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            running = pool.submit(hold, server, end)
            try:
                server.wait_for(lambda: has_begun(end))
                waiting = [pool.submit(factor, server) for _ in range(15)]
                server.wait_for(lambda: server.metric("unsup3d_queue_rows") == 15)
                refused = hold(server, end)
                assert refused.status_code == 503
                assert refused.json() == {"error": "the queue is full: 15 rows wait"}
                assert refused.headers["retry-after"] == "1"
                server.send_signal()
            finally:
                end.touch()
            assert running.result().json() == {"outputs": True}
            assert [future.result() for future in waiting] == [2.0] * 15
        assert server.wait() == 0
        assert server.log[-1].endswith("INFO ended")
        assert not [line for line in server.log if "Traceback" in line]
    finally:
        server.stop()


def test_a_model_that_does_not_end_does_not_keep_the_service(toy_folder, tmp_path):
    server = ServerProcess(f"--model={toy_folder}", "--request_seconds=0.5")
    try:
        server.wait_until_ready()
        assert requests.get(f"{server.url}/healthz").status_code == 200
        never = tmp_path / "never"
        # A busy machine may give a request up before it has begun.
        server.wait_for(
            lambda: hold(server, never).status_code == 504 and has_begun(never)
        )

        def is_unhealthy():
            response = requests.get(f"{server.url}/healthz")
            if response.status_code == 200:
                return False
            assert response.status_code == 503
            assert response.json() == {
                "error": "the model has been computing for longer than 0.5 s"
            }
            return True

        server.wait_for(is_unhealthy)
        server.send_signal()
        assert server.wait() == 0
        assert server.log[-1].endswith("INFO ended")
    finally:
        server.stop(signal.SIGKILL)


def test_what_cannot_be_served_is_an_error(toy_folder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError) as caught:
            serve(toy_folder, "toy", host="127.0.0.1", port=port, limits=Limits())
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1, port {port}: Address already in use"
    )
    # The error of an address that is none has a number of another kind.
    with pytest.raises(OSError) as reason:
        socket.getaddrinfo("::1%none", 1)
    with pytest.raises(UserError) as caught:
        serve(toy_folder, "toy", host="::1%none", port=1, limits=Limits())
    assert str(caught.value) == (
        f"cannot listen on ::1%none, port 1: {reason.value.strerror}"
    )
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(UserError, match="is damaged"):
        serve(tmp_path, "toy", host="127.0.0.1", port=0, limits=Limits())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing", "no trained model in missing"),
        ("pretrained:missing", "there is no pretrained model 'missing'"),
    ],
)
def test_sources_without_a_model_are_errors(source, message):
    with pytest.raises(UserError, match=message), served_folder(source):
        pass


def test_a_single_version_is_no_model(toy_folder):
    with pytest.raises(UserError, match="1 is one version of a model; name the folder"):
        with served_folder(str(toy_folder / "1")):
            pass


def test_trained_models_are_exported_for_as_long_as_they_are_served(
    small_run, monkeypatch
):
    def export(model, output, *, with_custom_op):
        assert model.step == 1 and with_custom_op
        (output / "1").mkdir(parents=True)

    monkeypatch.setattr("tf_unsup3d.serving.model_source.export_saved_model", export)
    with served_folder(str(small_run)) as folder:
        assert folder.name == "run" and (folder / "1").is_dir()
    assert not folder.exists()


@contextlib.contextmanager
def hangups(handler):
    """Sets what processes that are started meanwhile do when their terminal closes."""
    previous = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_service_leaves_nothing(small_run, tmp_path, monkeypatch, number):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with hangups(signal.SIG_DFL):
        server = ServerProcess(f"--model={small_run}", "--batch_size=1")
    try:
        server.wait_until_ready()
        assert list(tmp_path.glob("unsup3d-serve-*"))
        server.send_signal(number)
        assert server.wait() == 0
    finally:
        server.stop()
    assert not list(tmp_path.glob("unsup3d-serve-*"))


def test_a_service_under_nohup_outlives_its_terminal(toy_folder):
    with hangups(signal.SIG_IGN):
        server = ServerProcess(f"--model={toy_folder}")
    try:
        server.wait_until_ready()
        ignored = re.search(r"^SigIgn:\s*(\w+)$", server.status(), re.MULTILINE)[1]
        assert int(ignored, 16) >> signal.SIGHUP - 1 & 1
    finally:
        server.stop()


def test_a_missing_package_is_one_line(toy_folder):
    program = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from tf_unsup3d.programs import serve; serve.run()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, f"--model={toy_folder}"],
        capture_output=True,
        text=True,
        timeout=900,  # Long after it has surely hung.
    )
    assert result.returncode == 1
    assert result.stderr == (
        "error: the service needs the package uvicorn; install it with: pip install "
        "'tf-unsup3d[serve]'\n"
    )
