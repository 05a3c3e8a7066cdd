"""Training as a user runs it: repeats, resumes, and refuses what it cannot use."""

import concurrent.futures
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.errors import UserError
from tf_unsup3d.evaluation.alarms.limits import ALARMS
from tf_unsup3d.trained import model_folder
from tf_unsup3d.trained.checkpoints import find_checkpoints
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.trained.trained_model import load
from tf_unsup3d.training.beginning import begin
from tf_unsup3d.training.session import train
from tf_unsup3d.training.stop_requests import stop_requests

# Only what needs a process of its own has one: kills, and exact repeats, for which
# TensorFlow is made deterministic. A penalty at every step saves building a graph.
BINDINGS = [
    "Trainer.r1_interval = 1",
    "Trainer.log_interval = 5",
    "Trainer.checkpoint_interval = 10",
    "Trainer.sheet_interval = 1000",
    "Trainer.hidden_weight = 0.5",
]
GROWTH = [
    "Trainer.start_resolution = 8",
    "Trainer.stage_pictures = 40",
    "Trainer.fade_pictures = 40",
]


@pytest.fixture
def usual_signals():
    """Signals with their usual effect, whatever started the tests in the background."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    found = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in found.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def bindings(small_bindings):
    return [*small_bindings, *BINDINGS]


@pytest.fixture(scope="module")
def runs(bindings, pictures, tmp_path_factory):
    """Folders of several runs, by name."""
    folder = tmp_path_factory.mktemp("runs")
    growing = [*bindings, *GROWTH]
    parts = {
        "whole": [[*bindings, "Trainer.steps = 40"]],
        "again": [[*bindings, "Trainer.steps = 40"]],
        "grown": [[*growing, "Trainer.steps = 25"]],
        "grown_in_parts": [
            [*growing, "Trainer.steps = 15"],
            [*growing, "Trainer.steps = 25"],
        ],
    }
    # What the program sets for its users is not what the tests set.
    environment = {**os.environ}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)

    def run(name):
        # Each part has a process of its own. After another run in the same process,
        # rounding differs on some processors.
        for lines in parts[name]:
            subprocess.run(
                command(lines, pictures, folder / name), env=environment, check=True
            )

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(run, parts))
    return {name: folder / name for name in parts}


def command(bindings, data, model_dir):
    arguments = [sys.executable, "-m", "tf_unsup3d.programs.train"]
    arguments += [f"--data_dir={data}", f"--model_dir={model_dir}"]
    return arguments + [f"--gin_bindings={binding}" for binding in bindings]


def records(model_dir):
    text = (pathlib.Path(model_dir) / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def wait_for(path, process):
    """Waits for a file that a process writes, for as long as the process lives."""
    while not path.exists():
        assert process.poll() is None, "the process ended before it wrote the file"
        time.sleep(0.05)


def test_leaves_what_is_promised(runs):
    found = {path.name for path in runs["whole"].iterdir()}
    promised = {"checkpoints", "config.gin", "metrics.jsonl", "sheet.png", "depth.png"}
    assert promised | {"pictures.json"} <= found
    assert any((runs["whole"] / "events").iterdir())
    whole = records(runs["whole"])
    assert [record["step"] for record in whole] == list(range(5, 41, 5))
    assert max(record["extent"] for record in whole) < 2.5
    for term in ("generator_loss", "discriminator_loss", "r1", "folding"):
        assert all(np.isfinite(record[term]) for record in whole)
    assert all(record["hidden_roughness"] > 0.0 for record in whole)
    assert {f"alarm/{alarm.name}" for alarm in ALARMS} <= set(whole[-1])


def test_same_seed_gives_the_same_metrics(runs):
    again = (runs["again"] / "metrics.jsonl").read_bytes()
    assert again == (runs["whole"] / "metrics.jsonl").read_bytes()


def test_pictures_grow_and_a_run_resumes_while_they_fade(runs):
    whole, parts = records(runs["grown"]), records(runs["grown_in_parts"])
    assert [record["step"] for record in parts] == [5, 10, 15, 20, 25]
    # Where a part ends, it is measured as well.
    assert {name for name in parts[2] if name not in whole[2]} == {
        f"alarm/{alarm.name}" for alarm in ALARMS
    }
    for one, other in zip(whole, parts, strict=True):
        assert other == pytest.approx({**other, **one}, rel=1e-5)


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stopped_run_loses_nothing(bindings, pictures, tmp_path, number):
    run = tmp_path / "run"
    lines = ["Trainer.steps = 100000", "Trainer.checkpoint_interval = 100000"]
    lines += ["Trainer.sheet_interval = 1000000000"]
    with subprocess.Popen(
        command([*bindings, *lines], pictures, run),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            wait_for(run / "metrics.jsonl", process)
            if number == signal.SIGTERM:
                with pytest.raises(UserError, match=f"in use .*process {process.pid}"):
                    train(Configuration.from_files([], bindings), pictures, run)
            process.send_signal(number)
            output = process.communicate()[0]
        finally:
            process.kill()
    assert process.returncode == 128 + number
    newest = find_checkpoints(run / "checkpoints")[0].step
    assert newest >= records(run)[-1]["step"] >= 5
    assert f"left at step {newest};" in output
    # There is no time for these.
    assert not (run / "sheet.png").exists() and not (run / ".lock").exists()


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_noted(number):
    usual = signal.getsignal(number)
    with stop_requests() as noted:
        assert noted == []
        os.kill(os.getpid(), number)
        assert noted == [number]
        assert signal.getsignal(number) is usual
    assert signal.getsignal(number) is usual


@pytest.mark.usefixtures("usual_signals")
def test_an_ignored_signal_stays_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop_requests() as noted:
        os.kill(os.getpid(), signal.SIGHUP)
        assert noted == []


CLOSED_TERMINAL = """
import sys, time
from tf_unsup3d.training.stop_requests import stop_requests

with stop_requests() as noted:
    print("ready", flush=True)
    try:
        sys.stdin.read()  # Ends with the terminal.
    except OSError:
        pass
    while not noted:
        time.sleep(0.01)
    print("still writing", flush=True)
    with open(sys.argv[1], "w") as file:
        file.write(str(noted))
"""


@pytest.mark.usefixtures("usual_signals")
def test_the_terminal_may_be_closed(tmp_path):
    child, terminal = pty.fork()
    if not child:
        saved = tmp_path / "saved"
        os.execv(sys.executable, [sys.executable, "-c", CLOSED_TERMINAL, str(saved)])
    printed = b""
    while b"ready" not in printed:
        printed += os.read(terminal, 100)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (tmp_path / "saved").read_text() == f"[{int(signal.SIGHUP)}]"


def test_samples_of_a_run_have_its_resolution(runs, tmp_path):
    model = load(runs["whole"])
    assert model.step == 40
    from tf_unsup3d.export.samples import write_samples

    write_samples(model, tmp_path, [3, 5], yaw_degrees=20.0)
    found = {path.name for path in tmp_path.iterdir()}
    assert found >= {"sheet.png", "depth.png", "picture_0003.png", "mesh_0005.glb"}
    assert "mesh_0005.obj" in found
    with Image.open(tmp_path / "picture_0003.png") as picture:
        assert picture.size == (16, 16)
    write_samples(model, tmp_path, [3], resolution=48, mesh_suffixes=())
    with Image.open(tmp_path / "picture_0003.png") as picture:
        assert picture.size == (48, 48)


def test_a_run_belongs_to_its_pictures(runs, bindings, tmp_path):
    others = tmp_path / "cats"
    others.mkdir()
    for index in range(20):
        pixels = np.full([16, 16, 3], index, np.uint8)
        Image.fromarray(pixels).save(others / f"{index}.png")
    longer = Configuration.from_files([], [*bindings, "Trainer.steps = 41"])
    with pytest.raises(UserError, match=r"whole is a run on 20 pictures of .*cats"):
        train(longer, others, runs["whole"])
    assert records(runs["whole"])[-1]["step"] == 40

    # They may begin with what it has learned.
    begun = tmp_path / "begun"
    no_steps = Configuration.from_files([], [*bindings, "Trainer.steps = 0"])
    trainer = train(no_steps, others, begun, transfer_from=str(runs["whole"]))
    learned = load(runs["whole"])
    assert trainer.step == 0
    for new, old in zip(
        trainer.model().generator.get_weights(),
        learned.generator.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(new, old)


def test_another_size_of_batches_is_said(runs, bindings, pictures):
    more = ["Trainer.steps = 80", "Trainer.batch_size = 8"]
    begun = begin(
        Configuration.from_files([], [*bindings, *more]),
        open_pictures(pictures, 16),
        runs["whole"],
        tf.distribute.get_strategy(),
        None,
    )
    assert "Trainer.batch_size = 8 from now on, formerly 4" in begun.notes
    assert begun.notes[-1].endswith("320 pictures from now on, formerly 160")


def test_a_run_that_has_ended_stays_described(runs, bindings, pictures, capsys):
    config = runs["whole"] / "config.gin"
    before = config.read_text()
    more = ["Trainer.steps = 40", "Generator.radius = 0.9"]
    other = Configuration.from_files([], [*bindings, *more])
    trainer = train(other, pictures, runs["whole"])
    assert trainer.step == 40 and config.read_text() == before
    assert "has been trained for 40 steps, of 40" in capsys.readouterr().out


def test_a_run_without_a_step_may_begin_with_other_pictures(
    bindings, pictures, tmp_path
):
    few = tmp_path / "few"
    few.mkdir()
    for index, path in enumerate(sorted(pictures.iterdir())[:16]):
        (few / f"{index}.png").write_bytes(path.read_bytes())
    run = tmp_path / "run"
    no_steps = Configuration.from_files([], [*bindings, "Trainer.steps = 0"])
    train(no_steps, few, run)
    train(no_steps, pictures, run)
    assert json.loads((run / "pictures.json").read_text())["count"] == 20


def test_too_few_pictures_leave_no_run(bindings, pictures, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    (few / "0.png").write_bytes((pictures / "0.png").read_bytes())
    configuration = Configuration.from_files([], bindings)
    with pytest.raises(UserError, match="too few pictures in .*: 1 picture"):
        train(configuration, few, tmp_path / "run")
    assert not list((tmp_path / "run").glob("*.*"))


def test_a_new_run_may_begin_with_a_published_generator(runs, bindings, tmp_path):
    model = load(runs["whole"])
    model_folder.publish(
        tmp_path / "published", model.generator, model.configuration, model.card
    )
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(16):
        pixels = np.full([16, 16, 3], index, np.uint8)
        Image.fromarray(pixels).save(pictures / f"{index}.png")
    no_steps = Configuration.from_files([], [*bindings, "Trainer.steps = 0"])
    trainer = train(
        no_steps, pictures, tmp_path / "run", transfer_from=tmp_path / "published"
    )
    for network in (trainer.state.generator, trainer.state.average):
        for new, old in zip(
            network.get_weights(), model.generator.get_weights(), strict=True
        ):
            np.testing.assert_allclose(new, old, rtol=1e-3, atol=1e-3)
    with pytest.raises(UserError, match="is published, and not trained further"):
        train(no_steps, pictures, tmp_path / "published")


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("Renderer.resolution = 24", "resolution 24 is not a power of two"),
        ("Trainer.batch_size = 64", "20 pictures for batches of 64"),
        ("Trainer.start_resolution = 12", "start_resolution 12 is not 16 halved"),
        ("Trainer.convolution_dtype = 'half'", "convolution_dtype 'half' is not one"),
    ],
)
def test_bad_parameters_end_in_one_line(bindings, pictures, tmp_path, binding, message):
    with pytest.raises(UserError) as raised:
        configuration = Configuration.from_files([], [*bindings, binding])
        train(configuration, pictures, tmp_path / "run")
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_bad_folders_end_in_one_line(bindings, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    configuration = Configuration.from_files([], bindings)
    for data, model_dir, named in (
        (tmp_path / "missing", tmp_path / "run", "missing"),
        (tmp_path / "empty", tmp_path / "run", "empty"),
        (tmp_path, tmp_path / "file" / "run", "file"),
    ):
        with pytest.raises(UserError, match=named):
            train(configuration, data, model_dir)


def test_the_program_names_what_is_unknown(run_in_process, tmp_path):
    folders = f"--data_dir={tmp_path}", f"--model_dir={tmp_path / 'run'}"
    with pytest.raises(UserError, match="Trainer has no parameter 'no_such_thing'"):
        run_in_process("train", *folders, "--gin_bindings=Trainer.no_such_thing = 1")


def test_spread_of_the_viewpoints_is_learned(bindings, pictures, tmp_path):
    lines = [
        *bindings,
        "Trainer.steps = 10",
        "Generator.learn_viewpoints = True",
        "Trainer.viewpoints = @PortraitViewpoints()",
        "PortraitViewpoints.deviations = (20.0, 8.0, 0.0)",
    ]
    train(Configuration.from_files([], lines), str(pictures), str(tmp_path))
    records = (tmp_path / "metrics.jsonl").read_text().splitlines()
    spreads = [json.loads(record)["yaw_spread"] for record in records]
    assert all(1.8 < spread < 2.2 for spread in spreads)
    assert len(set(spreads)) == len(spreads)
    yaw, pitch, roll = load(tmp_path).viewpoints.deviations
    assert yaw != 40.0 and pitch != 16.0 and roll == 0.0
    assert abs(yaw - 40.0) < 4.0 and abs(pitch - 16.0) < 1.6
