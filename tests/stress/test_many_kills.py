"""Twenty SIGKILLs at random moments, also within the writing of checkpoints."""

import os
import random
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from tf_unsup3d.trained.checkpoints import find_checkpoints

KILLS = 20
# The most records that a program writes before it is killed.
MOST_RECORDS = 9
BINDINGS = [
    "Trainer.steps = 1500",
    "Trainer.r1_interval = 3",
    "Trainer.log_interval = 7",
    "Trainer.checkpoint_interval = 10",
    "Trainer.sheet_interval = 400",
]


def start(bindings, data, model_dir, output):
    arguments = [sys.executable, "-m", "tf_unsup3d.programs.train"]
    arguments += [f"--data_dir={data}", f"--model_dir={model_dir}"]
    arguments += [f"--gin_bindings={binding}" for binding in bindings]
    return subprocess.Popen(arguments, stdout=output, stderr=output)


def newest(model_dir):
    found = find_checkpoints(model_dir / "checkpoints")
    return found[0].step if found else -1


def records(model_dir):
    path = model_dir / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def is_writing(model_dir):
    folder = model_dir / "checkpoints"
    return folder.exists() and any(
        name.startswith(".partial-") for name in os.listdir(folder)
    )


def test_twenty_kills_change_nothing(small_bindings, tmp_path):
    data = tmp_path / "pictures"
    data.mkdir()
    generator = np.random.default_rng(0)
    for index in range(50):
        pixels = generator.integers(0, 255, [16, 16, 3], np.uint8)
        Image.fromarray(pixels).save(data / f"{index:02d}.png")
    bindings = [*small_bindings, *BINDINGS]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with open(tmp_path / "output", "w") as output:
        assert start(bindings, data, whole, output).wait() == 0
        moments = random.Random(0)
        steps = []
        for kill in range(KILLS):
            process, before = start(bindings, data, killed, output), newest(killed)
            # Once it has saved something new, so that the run gets on.
            while newest(killed) <= before:
                assert process.poll() is None, "the run ended too early"
                time.sleep(0.01)
            if kill % 2:
                while process.poll() is None and not is_writing(killed):
                    time.sleep(0.0005)
            else:
                wanted = records(killed) + moments.randint(0, MOST_RECORDS)
                while process.poll() is None and records(killed) < wanted:
                    time.sleep(0.001)
            assert process.poll() is None, "the run ended too early"
            process.kill()
            process.wait()
            steps.append((newest(killed), is_writing(killed)))
        assert start(bindings, data, killed, output).wait() == 0
    print(f"killed after the checkpoints of, and while one was written: {steps}")
    metrics = [(run / "metrics.jsonl").read_bytes() for run in (whole, killed)]
    assert metrics[0] == metrics[1]
    last = [find_checkpoints(run / "checkpoints")[0].path for run in (whole, killed)]
    with np.load(last[0]) as expected, np.load(last[1]) as found:
        assert expected.files == found.files
        for name in expected.files:
            np.testing.assert_array_equal(found[name], expected[name], name)
    print(
        f"{len(expected.files)} arrays and {len(metrics[0].splitlines())} records equal"
    )
