"""The whole protocol, asked for by independent clients, over real sockets."""

import asyncio
import concurrent.futures
import io
import itertools
import json
import socket
import threading

import numpy as np
import PIL.Image
import pytest
import requests
import trimesh
from google.protobuf import json_format
from starlette.requests import Request
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from benchmarks.server_process import serving
from tests.serving.malformed_requests import malformed_requests, read_status, status_of
from tests.serving.meshes import EVERYWHERE, mesh_inputs
from tests.serving.toy_model import PICTURE_SIZE, has_begun, hold_body
from tf_unsup3d.serving.application import Service
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.metrics import Metrics

MALFORMED = 1000


@pytest.fixture(scope="module")
def server(toy_folder):
    flags = "--receive_seconds=2", "--body_megabytes=1", "--request_seconds=600"
    with serving(toy_folder, *flags) as server:
        yield server


@pytest.fixture(scope="module")
def session():
    with requests.Session() as session:
        yield session


@pytest.fixture
def predict(server, session):
    def predict(status=200, path="", **body):
        url = f"{server.url}/v1/models/toy{path}:predict"
        response = session.post(url, json=body)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()

    return predict


def test_row_format(predict):
    rows = [[1.5, 2.0], [3.0, -4.0]]
    assert predict(instances=rows) == {"predictions": rows}
    assert predict(instances=[{"x": row} for row in rows]) == {"predictions": rows}


def test_column_format(predict):
    rows = [[1.5, 2.0], [3.0, -4.0]]
    assert predict(inputs=rows) == predict(inputs={"x": rows}) == {"outputs": rows}
    assert predict(path="/versions/1", inputs=rows) == {"outputs": rows}


def test_every_type_comes_back(predict):
    rows = [
        {"count": 7, "flag": True, "text": ["a", "ä"], "real": 0.1},
        {"count": -8, "flag": False, "text": ["", "\n"], "real": 1e300},
    ]
    found = predict(signature_name="echo", instances=rows)["predictions"]
    for row, answer in zip(rows, found, strict=True):
        assert {name: answer[name] for name in row} == row
        assert answer["text_bytes"][1].keys() == {"b64"}
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    found = predict(signature_name="echo", inputs=columns)["outputs"]
    assert {name: found[name] for name in columns} == columns


def test_outputs_without_rows(predict):
    found = predict(signature_name="sum", inputs=[1, 2, 3])
    assert found == {"outputs": {"total": 6.0, "terms": [1.0, 2.0, 3.0]}}


def test_errors_of_the_model(predict):
    found = predict(400, signature_name="invert", inputs=[1, 0])
    assert found == {"error": "division : Tensor had Inf values"}
    found = predict(400, signature_name="triple", inputs=[1])
    assert 'signature name: "triple" not found in signature def' in found["error"]
    assert predict(404, path="/versions/7", inputs=[[1, 2]])["error"]


def test_meshes_that_take_too_long_to_draw_are_refused(predict):
    def draw(status, count):
        inputs = mesh_inputs(*[EVERYWHERE] * count, size=512)
        values = {name: value.tolist() for name, value in inputs.items()}
        return predict(status, signature_name="render_mesh", inputs=values)

    assert draw(200, 16) == {"outputs": [16 * 512]}
    error = draw(400, 17)["error"]
    assert error.startswith(f"the triangles reach {17 * 512**2} pixels")


def test_status_is_that_of_the_official_protocol(server):
    for path in ("", "/versions/1"):
        response = requests.get(f"{server.url}/v1/models/toy{path}")
        status = json_format.Parse(
            response.text, get_model_status_pb2.GetModelStatusResponse()
        )
        (version,) = status.model_version_status
        assert version.version == 1 and version.status.error_code == 0
        assert version.state == version.AVAILABLE
    for path in ("/v1/models/other", "/v1/models/toy/versions/2"):
        response = requests.get(server.url + path)
        assert response.status_code == 404 and response.json()["error"]


def test_metadata_is_that_of_the_official_protocol(server):
    found = requests.get(f"{server.url}/v1/models/toy/metadata").json()
    spec = json_format.ParseDict(found["model_spec"], model_pb2.ModelSpec())
    assert spec.name == "toy" and spec.version.value == 1
    signatures = json_format.ParseDict(
        found["metadata"]["signature_def"], get_model_metadata_pb2.SignatureDefMap()
    ).signature_def
    scale = signatures["serving_default"]
    assert [dim.size for dim in scale.inputs["x"].tensor_shape.dim] == [-1, 2]
    assert scale.method_name == "tensorflow/serving/predict"
    assert signatures["render"].outputs.keys() == {"picture"}


def test_picture(server):
    query = {"seed": 20, "truncation_psi": 0.5, "yaw_degrees": -30}
    response = requests.get(f"{server.url}/v1/render.png", query)
    assert response.headers["content-type"] == "image/png"
    picture = np.asarray(PIL.Image.open(io.BytesIO(response.content)))
    assert picture.shape == (PICTURE_SIZE, PICTURE_SIZE, 3)
    # What is 0.2, 0.5 and -0.3 in [-1, 1].
    assert np.all(picture == [153, 191, 89])
    response = requests.get(f"{server.url}/v1/render.png")
    picture = np.asarray(PIL.Image.open(io.BytesIO(response.content)))
    assert np.all(picture == [128, 217, 128])


def test_mesh(server):
    response = requests.get(f"{server.url}/v1/mesh.glb", {"seed": 3})
    assert response.headers["content-type"] == "model/gltf-binary"
    mesh = trimesh.load_mesh(io.BytesIO(response.content), file_type="glb")
    assert mesh.faces.shape == (4, 3)
    assert mesh.extents == pytest.approx([8, 8, 8])


def test_health_and_metrics(server):
    name = 'unsup3d_requests_total{code="200",route="healthz"} '
    assert requests.get(f"{server.url}/healthz").json() == {"status": "ok"}

    def count():
        text = requests.get(f"{server.url}/metrics").text
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        return float(line.removeprefix(name))

    before = count()
    requests.get(f"{server.url}/healthz")
    assert count() == before + 1
    assert requests.get(f"{server.url}/readyz").json() == {"status": "ready"}
    assert requests.head(f"{server.url}/readyz").status_code == 200
    assert server.metric("unsup3d_model_version") == 1
    assert server.metric("unsup3d_requests_in_flight") == 1


def test_other_sites_may_not_read_answers(server):
    headers = {"Origin": "https://example.com"}
    response = requests.get(f"{server.url}/v1/models/toy", headers=headers)
    assert not any(name.startswith("access-control") for name in response.headers)


def test_requests_at_once_are_computed_together_and_each_gets_its_own(server, tmp_path):
    before = server.metric("unsup3d_batch_rows_count")
    end = tmp_path / "end"

    def ask(index):
        body = {"instances": [[index, -index]]}
        url = f"{server.url}/v1/models/toy:predict"
        return requests.post(url, json=body).json() == {
            "predictions": [[float(index), float(-index)]]
        }

    def hold():
        """Keeps the model busy."""
        url = f"{server.url}/v1/models/toy:predict"
        return requests.post(url, json=hold_body(end)).json()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        blocking = pool.submit(hold)
        try:
            server.wait_for(lambda: has_begun(end))
            asking = pool.map(ask, range(1, 200))
            server.wait_for(lambda: server.metric("unsup3d_queue_rows") == 15)
        finally:
            end.touch()
        assert all(asking)
        assert blocking.result() == {"outputs": True}
    # One for what blocked, one for the 15 that waited.
    assert server.metric("unsup3d_batch_rows_count") - before <= 199 - 15 + 2


def test_malformed_requests_are_refused_and_the_service_goes_on(server, predict):
    lines = lines_until_now(server)
    requested = itertools.islice(malformed_requests(0, 2**20), MALFORMED)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        slow = [pool.submit(send_slowly, server.port, kind) for kind in range(6)]
        statuses = list(
            pool.map(
                lambda request: (status_of(server.port, request), request), requested
            )
        )
        assert {future.result() for future in slow} == {408}
    wrong = [found for found in statuses if not 400 <= found[0] < 500]
    assert not wrong, wrong[:3]
    assert predict(instances=[[1, 2]]) == {"predictions": [[1.0, 2.0]]}
    assert server.metric("unsup3d_requests_in_flight") == 1
    # One line each.
    server.wait_for(lambda: len(server.log) >= lines + MALFORMED + len(slow))
    log = server.log[lines:]
    assert not [line for line in log if "Traceback" in line or "  File" in line]
    assert not [line for line in log if " ERROR " in line]
    assert len(log) == MALFORMED + len(slow)


def lines_until_now(server):
    """The number of lines of the log for all that has been answered."""
    requests.get(f"{server.url}/v1/models/none-of-this-name")

    def ours():
        return [i for i, line in enumerate(server.log) if "none-of-this-name" in line]

    server.wait_for(ours)
    return ours()[-1] + 1


def send_slowly(port, kind):
    """A client that stops, or goes on without end, somewhere in its request."""
    head = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: localhost\r\n"
    body = b"Content-Length: 100\r\n\r\n"
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    begins, drips = [
        (head, b""),
        (head, b"A: b\r\n"),
        (head + body, b""),
        (head + body + b"{", b" "),
        (head + chunked, b""),
        (head + chunked, b"1\r\n \r\n"),
    ][kind]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(begins)
        stop = threading.Event()

        def drip():
            while drips and not stop.wait(0.2):
                try:
                    connection.sendall(drips)
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            return read_status(connection)
        finally:
            stop.set()
            dripping.join()


@pytest.mark.parametrize(
    "host", ["localhost:8501", "127.0.0.1", "[::1]:1", "a.localhost"]
)
def test_the_service_is_called_by_names_of_this_machine(server, host):
    response = requests.get(f"{server.url}/healthz", headers={"Host": host})
    assert response.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.example:80", "[", ""])
def test_no_page_of_another_site_reads_what_it_answers(server, host):
    url = f"{server.url}/v1/models/toy"
    response = requests.get(url, headers={"Host": host})
    assert response.status_code == 403
    assert "this service is for its own machine" in response.json()["error"]


def test_no_page_of_another_site_keeps_the_model_busy(server):
    url = f"{server.url}/v1/models/toy:predict"
    fields = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    response = requests.post(url, headers=fields, json={"inputs": [[1, 0]]})
    assert response.status_code == 403
    assert "does not answer pages of others" in response.json()["error"]
    # Who follows a link to a page of the service may see it.
    fields["Sec-Fetch-Mode"] = "navigate"
    assert requests.get(f"{server.url}/healthz", headers=fields).status_code == 200


def test_a_model_with_a_colon_in_its_name_has_a_status():
    class Versions:
        def statuses(self, number):
            return [{"version": "1"}]

    service = Service("run-12:30", Versions(), None, Limits(), Metrics())
    parameters = {"name": "run-12", "verb": "30"}
    path = "/v1/models/run-12:30"
    request = Request(
        {"type": "http", "method": "GET", "path": path, "path_params": parameters}
    )
    response = asyncio.run(service._unknown(request, b""))
    found = json.loads(response.body)
    assert found == {"model_version_status": [{"version": "1"}]}


def test_idle_connections_are_closed(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        assert read_status(connection) == 408


def test_a_client_that_takes_no_answer_is_dropped(server):
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.settimeout(60)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while True:
                connection.sendall(request * 100)
    assert requests.get(f"{server.url}/healthz").status_code == 200


def test_a_large_body_of_unknown_length_is_refused(server):
    chunks = (b" " * 100_000 for _ in range(20))
    url = f"{server.url}/v1/models/toy:predict"
    response = requests.post(url, data=chunks)
    assert response.status_code == 413
    assert response.json()["error"].startswith("the body of the request has more than")


def test_a_client_that_asks_first_is_refused_before_it_sends(server):
    head = (
        b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: localhost\r\n"
        b"Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head)
        assert read_status(connection) == 413
