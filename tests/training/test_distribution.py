"""Training on several devices and machines is training on one, but for rounding."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.ports import free_ports
from tf_unsup3d.errors import UserError
from tf_unsup3d.trained.checkpoints import find_checkpoints
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.batch_division import BatchDivision
from tf_unsup3d.training.distribution import make_strategy
from tf_unsup3d.training.session import train

STEPS = 3
# All that is random, or compares the pictures of a batch with each other. Adam moves
# weights by the signs of their gradients at first, whose rounding a high rate would
# blow up. A penalty at every step saves building a graph.
BINDINGS = [
    "Trainer.batch_size = 8",
    "Discriminator.group_size = 2",
    "Trainer.convolution_dtype = 'float32'",
    "Trainer.generator_rate = 0.00001",
    "Trainer.discriminator_rate = 0.00001",
    "Trainer.r1_interval = 1",
    "Trainer.hidden_weight = 0.5",
    "Trainer.log_interval = 1",
    "Trainer.checkpoint_interval = 2",
    "Trainer.sheet_interval = 10000",
    "Trainer.augmentation = @DifferentiableAugmentation()",
    "Trainer.style_mixing = 0.5",
    "Renderer.lamps = @RandomLamps()",
    "RandomLamps.fill = 0.5",
]

# Trains on several numbers of logical devices, one after the other.
DEVICES = """
import json, sys
import tensorflow as tf

from tf_unsup3d.data.dataset import open_pictures
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training.trainer import Trainer

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
# It takes most of the time to build a graph.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
for bindings, data_dir, model_dir, devices in json.loads(sys.argv[1]):
    configuration = Configuration.from_files([], bindings)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)])
    trainer = Trainer(configuration, model_dir, strategy)
    trainer.train(open_pictures(data_dir, 16))
"""


@pytest.fixture(scope="module")
def bindings(small_bindings):
    return [*small_bindings, *BINDINGS]


@pytest.fixture(scope="module")
def runs(bindings, pictures, tmp_path_factory):
    """Folders of runs on several numbers of devices, by name."""
    folder = tmp_path_factory.mktemp("runs")
    lines = [*bindings, f"Trainer.steps = {STEPS}"]
    parts = [*lines, "Trainer.gradient_accumulation = 2"]
    arguments = [
        (lines, str(pictures), str(folder / "one"), 1),
        (parts, str(pictures), str(folder / "parts"), 2),
    ]
    subprocess.run([sys.executable, "-c", DEVICES, json.dumps(arguments)], check=True)
    return folder


def records(run):
    text = (run / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def assert_same_training(found, expected):
    """Compares all measurements of each step, and what was learned."""
    for record, wanted in zip(records(found), records(expected), strict=True):
        assert record == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    last = [find_checkpoints(run / "checkpoints")[0] for run in (found, expected)]
    assert last[0].step == last[1].step
    with np.load(last[0].path) as one, np.load(last[1].path) as other:
        for name in set(other.files) - {"sha256"}:
            np.testing.assert_allclose(
                one[name], other[name], rtol=1e-3, atol=1e-4, err_msg=name
            )


def test_two_devices_with_two_parts_each_are_as_one(runs):
    assert_same_training(runs / "parts", runs / "one")


def test_parts_hold_whole_groups_and_together_the_batch():
    division = BatchDivision(24, devices=2, parts_per_device=2, group_size=3)
    batch = tf.range(24)
    seen = []
    for device in range(2):
        share = division.share(batch, device)
        for number in range(2):
            part = division.from_share(share, number).numpy()
            np.testing.assert_array_equal(division.part(device, number).of(batch), part)
            # Every 8th picture of the batch, every second one of the part.
            for group in part.reshape([3, 2]).T:
                assert len(set(group % 8)) == 1
            seen += part.tolist()
    assert sorted(seen) == list(range(24))


def test_what_cannot_be_divided_is_refused(bindings, pictures, tmp_path):
    lines = [*bindings, "Trainer.gradient_accumulation = 3"]
    with pytest.raises(UserError, match="batch_size 8 is not a multiple of 6: 1 dev"):
        train(Configuration.from_files([], lines), pictures, tmp_path / "run")


TWO_WORKERS = {"cluster": {"worker": ["a:1", "b:1"]}}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "cannot be understood"),
        ({"cluster": 3}, "cannot be understood"),
        (TWO_WORKERS, "does not say which task this process is"),
        ({**TWO_WORKERS, "task": {"type": "worker", "index": 2}}, "has no task 2 of"),
        ({"cluster": {"ps": ["a:1"], "worker": ["b:1"]}}, "the kinds ps, worker"),
    ],
)
def test_clusters_that_cannot_train_are_refused(monkeypatch, config, message):
    text = config if isinstance(config, str) else json.dumps(config)
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=f"^TF_CONFIG .*{message}") as error:
        make_strategy()
    assert "\n" not in str(error.value)
    if "understood" in message:
        # TensorFlow reads it in any case.
        with pytest.raises(UserError, match=f"^TF_CONFIG {message}"):
            make_strategy("one_machine")
    else:
        assert make_strategy("one_machine").num_replicas_in_sync == 1


@pytest.mark.parametrize("config", [None, {}, {"cluster": {"worker": ["a:1"]}}])
def test_one_machine_is_no_cluster(monkeypatch, config):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert make_strategy().num_replicas_in_sync == 1
    with pytest.raises(UserError, match="several_machines needs .* TF_CONFIG"):
        make_strategy("several_machines")


def start_workers(bindings, pictures, run):
    """Starts two processes that train together."""
    workers = [f"localhost:{port}" for port in free_ports(2)]
    arguments = [sys.executable, "-m", "tf_unsup3d.programs.train"]
    arguments += [f"--data_dir={pictures}", f"--model_dir={run}"]
    arguments += [f"--gin_bindings={binding}" for binding in bindings]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        config = {"cluster": {"worker": workers}, "task": task}
        processes.append(
            subprocess.Popen(
                arguments,
                env={**os.environ, "TF_CONFIG": json.dumps(config)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


def test_two_workers_are_as_one_and_end_together(bindings, pictures, runs, tmp_path):
    """Two workers train; one is killed; both go on from the checkpoint."""
    run = tmp_path / "run"
    lines = [*bindings, "Trainer.checkpoint_interval = 1"]
    chief, other = start_workers([*lines, "Trainer.steps = 100000"], pictures, run)
    try:
        while not (run / "checkpoints" / "ckpt-1.npz").exists():
            assert chief.poll() is None and other.poll() is None
            time.sleep(0.05)
        other.kill()
        errors = chief.communicate()[1]
        other.communicate()
    finally:
        chief.kill()
        other.kill()
    assert chief.returncode == 1
    # When Python ends, a pool of threads of TensorFlow may add that its pipe is closed.
    lines_of_ours = [line for line in errors.splitlines() if line.startswith("error:")]
    assert len(lines_of_ours) == 1
    assert lines_of_ours[0].startswith("error: another worker of TF_CONFIG ended")
    reached = find_checkpoints(run / "checkpoints")[0].step
    for record, wanted in zip(records(run), records(runs / "one"), strict=False):
        assert record == pytest.approx(wanted, rel=1e-4, abs=1e-6)

    steps = f"Trainer.steps = {reached + 1}"
    chief, other = start_workers([*lines, steps], pictures, run)
    outputs = [process.communicate() for process in (chief, other)]
    assert [chief.returncode, other.returncode] == [0, 0], outputs
    assert f"from step {reached}, on the CPUs of 2 machines" in outputs[0][0]
    assert [record["step"] for record in records(run)] == list(range(1, reached + 2))
    assert (run / "sheet.png").exists()
