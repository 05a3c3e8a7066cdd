"""Preparing a large set takes no more memory at its end than at its beginning."""

import subprocess
import sys
import time

import numpy as np
from PIL import Image

from tf_unsup3d.data import dataset
from tf_unsup3d.data import manifest as manifests

COUNT = 200_000
# Of the process that writes, from its first shard to its last.
LARGEST_GROWTH_MIB = 32


def write_pictures(folder, count):
    random = np.random.default_rng(0)
    for start in range(0, count, 1000):
        part = folder / f"{start:06d}"
        part.mkdir(parents=True)
        pixels = random.integers(0, 256, [min(1000, count - start), 8, 8, 3], np.uint8)
        for index, picture in enumerate(pixels):
            Image.fromarray(picture).save(part / f"{index:03d}.png")


def memory_mib(process):
    with open(f"/proc/{process.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return None  # It has just ended.


def test_memory_is_flat_and_the_start_reads_no_shard(tmp_path, monkeypatch):
    source, output = tmp_path / "pictures", tmp_path / "prepared"
    write_pictures(source, COUNT)
    arguments = [sys.executable, "-m", "tf_unsup3d.programs.prepare_data"]
    arguments += [f"--input={source}", f"--output={output}", "--resolution=8"]
    memory = []
    started = time.monotonic()
    with subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            shards = len(list(output.glob("pictures-*"))) if output.exists() else 0
            if shards and (used := memory_mib(process)):
                memory.append((shards, round(used)))
            time.sleep(0.2)
    assert process.returncode == 0
    seconds = time.monotonic() - started
    shown = memory[:: max(len(memory) // 8, 1)]
    print(f"{COUNT} pictures in {seconds:.0f} s; shards and MiB: {shown}")
    first, most = memory[0][1], max(used for _, used in memory)
    assert most - first <= LARGEST_GROWTH_MIB
    assert manifests.read_manifest(output).count == COUNT

    read = []
    monkeypatch.setattr(manifests, "file_checksum", read.append)
    started = time.monotonic()
    assert dataset.open_pictures(output, 8).count == COUNT
    assert read == []
    print(f"opened in {time.monotonic() - started:.2f} s")
