"""A run that is killed again and again ends like one that was left alone."""

import json
import os
import subprocess
import sys

import numpy as np

STEPS = 30
BINDINGS = [
    f"Trainer.steps = {STEPS}",
    # One graph in place of two.
    "Trainer.r1_interval = 1",
    "Trainer.log_interval = 5",
    "Trainer.checkpoint_interval = 10",
    "Trainer.sheet_interval = 1000",
]
# Each program is a fork of one that has imported everything, but run nothing.
FORKS = """
import json, os, signal, sys
from tf_unsup3d import files
from tf_unsup3d.programs import cli
from tf_unsup3d.trained.configuration import Configuration
from tf_unsup3d.training import metrics, session

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def after_step(at, original=session.Session.stop):
    def stop(self):
        if self._trainer.step == at:
            die()
        return original(self)
    session.Session.stop = stop

def in_checkpoint(at, original=files._flush_to_disk):
    def flush(path):
        # The first one of this process.
        if path.suffix == ".npz":
            os.truncate(path, path.stat().st_size // 2)
            die()
        original(path)
    files._flush_to_disk = flush

def in_record(at, original=metrics.MetricsLog.write):
    def write(self, step, values):
        if step == at:
            with self._path.open("a") as file:
                file.write('{"step": %d, "pict' % step)
            die()
        original(self, step, values)
    metrics.MetricsLog.write = write

bindings, data, runs = json.loads(sys.argv[1])
configuration = Configuration.from_files([], bindings)
statuses = []
for model_dir, kill, at in runs:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        cli.make_repeatable()
        if kill:
            globals()[kill](at)
        session.train(configuration, data, model_dir)
        sys.stdout.flush()
        os._exit(0)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(statuses))
"""


def checkpoint(model_dir):
    with np.load(model_dir / "checkpoints" / f"ckpt-{STEPS}.npz") as opened:
        return {name: opened[name] for name in opened.files}


def test_three_kills_change_nothing(small_bindings, pictures, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    runs = [
        (str(whole), None, None),
        (str(killed), "after_step", 13),
        (str(killed), "in_checkpoint", 20),
        (str(killed), "in_record", 25),
        (str(killed), None, None),
    ]
    arguments = [[*small_bindings, *BINDINGS], str(pictures), runs]
    result = subprocess.run(
        [sys.executable, "-u", "-c", FORKS, json.dumps(arguments)],
        # As the program sets it for its users.
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1"},
        capture_output=True,
        text=True,
    )
    *_, last = result.stdout.splitlines() or [""]
    assert json.loads(last) == [0, -9, -9, -9, 0], result.stderr
    starts = [line for line in result.stdout.splitlines() if ", from step " in line]
    assert [line.split(", ")[1] for line in starts] == [
        "from step 0",
        "from step 0",
        "from step 10",
        "from step 10",
        "from step 20",
    ]
    expected, found = checkpoint(whole), checkpoint(killed)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, name)
    metrics = [(folder / "metrics.jsonl").read_bytes() for folder in (whole, killed)]
    assert metrics[0] == metrics[1]
    names = {path.name for path in (killed / "checkpoints").iterdir()}
    assert names == {f"ckpt-{step}.npz" for step in (10, 20, 30)}
