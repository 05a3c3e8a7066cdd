"""What it takes to run the commands of the pages as they stand there.

Programs are found in a folder of stand-ins, which start the real ones. At the end of
the command they add flags that make small what takes hours. Services go on in the
background; their stand-ins return as soon as they answer.
"""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.e2e.documented_commands.commands import commands
from tests.head_models import content
from tests.photographs import drawn_faces, paste, scene
from tests.ports import free_ports
from tests.test_documentation import ROOT
from tf_unsup3d.data.alignment import Square
from tf_unsup3d.data.prepare import prepare_pictures

SMALL = {
    "unsup3d-train": [
        "--gin_bindings=Trainer.steps = 1",
        "--gin_bindings=Trainer.batch_size = 4",
    ],
    "unsup3d-evaluate": ["--samples=16"],
    "unsup3d-make-heads": ["--count=16", "--validation_count=2", "--test_count=2"],
    "unsup3d-train-encoder": ["--steps=2", "--held_out=16"],
    "unsup3d-sample": ["--seeds=0-1"],
    "unsup3d-reconstruct": ["--steps=2"],
    # It tries each size of a batch before it answers.
    "unsup3d-serve": ["--batch_size=2"],
    "tensorboard": ["--port=0"],
    "curl": ["--fail"],
    "benchmarks.renderer_gradients": [
        *("--renderers=ours", "--resolutions=16", "--workloads=1", "--directions=1"),
    ],
    "benchmarks.renderer_speed": [
        *("--renderers=ours", "--largest=64", "--runs=1", "--growth_runs=1"),
    ],
    "benchmarks.training_speed": [
        "--gin_configs=gin_configs/heads32.gin",
        "--gin_bindings=Trainer.batch_size = 4",
        "--rounds=1",
    ],
    "benchmarks.portable_renderer": ["--runs=1"],
    "benchmarks.serving": ["--requests=32", "--rounds=1"],
    "benchmarks.texture_aliasing": [
        *("--subdivisions=6", "--texels=16", "--directions=1", "--functionals=1"),
    ],
}
# The ports of services, and what they say when they answer.
PORTS = {"unsup3d-serve": 8501, "unsup3d-view": 8502}
READY = {
    "unsup3d-serve": "is served",
    "unsup3d-view": "is served",
    "tensorboard": "http://",
}

PROGRAM = """\
#!/bin/bash
exec {program} "$@" {flags}
"""
SERVICE = """\
#!/bin/bash
stop-services
log=$(mktemp)
{program} "$@" {flags} >"$log" 2>&1 &
echo $! >>services
until grep -q "{ready}" "$log"; do
  kill -0 $! 2>/dev/null || {{ cat "$log" >&2; exit 1; }}
  sleep 0.1
done
"""
STOP_SERVICES = """\
#!/bin/bash
[ -f services ] || exit 0
for service in $(cat services); do
  kill $service 2>/dev/null
  # One that nobody has waited for, a zombie, has ended.
  while grep -qs '^State:.[^Z]' /proc/$service/status; do sleep 0.1; done
done
rm services
"""
# The module decides the flags. The op is built.
PYTHON = """\
#!/bin/bash
if [ "$1" = custom_ops/rasterizer/build.py ]; then exit; fi
case "$2" in
{cases}
esac
exec {program} "$@"
"""


@pytest.fixture(scope="session")
def ports():
    """Free ports in place of those that services have by default."""
    return dict(zip(PORTS.values(), free_ports(len(PORTS)), strict=True))


@pytest.fixture(scope="session")
def stand_ins(ports, tmp_path_factory):
    """The folder of stand-ins for programs."""
    folder = tmp_path_factory.mktemp("bin")

    def write(name, text):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    installed = pathlib.Path(sys.executable).parent
    programs = {
        path.name: path
        for path in [*installed.glob("unsup3d-*"), installed / "tensorboard"]
    }
    programs["curl"] = shutil.which("curl")
    for name, program in programs.items():
        flags = [*SMALL.get(name, [])]
        if name in PORTS:
            flags.append(f"--port={ports[PORTS[name]]}")
        text = SERVICE if name in READY else PROGRAM
        parts = {"program": program, "flags": shlex.join(flags)}
        write(name, text.format(**parts, ready=READY.get(name)))
    # It is not on PyPI, and this one answers the same requests.
    write(
        "tensorflow_model_server",
        "#!/bin/bash\nexec unsup3d-serve --model=models/faces64\n",
    )
    cases = "\n".join(
        f'  {name}) set -- "$@" {shlex.join(flags)};;'
        for name, flags in SMALL.items()
        if name.startswith("benchmarks.")
    )
    write("python", PYTHON.format(program=sys.executable, cases=cases))
    for name in ("pip", "python3.11"):
        write(name, "#!/bin/bash\n")  # There is an environment, and all in it.
    write("stop-services", STOP_SERVICES)
    return folder


@pytest.fixture(scope="session")
def belongings(tmp_path_factory):
    """A folder with what readers have: pictures, a head model and the checkout."""
    folder = tmp_path_factory.mktemp("belongings")
    for name in ("faces", "photos", "portraits", "benchmarks/results", "docs/figures"):
        (folder / name).mkdir(parents=True)
    (folder / "gin_configs").symlink_to(ROOT / "gin_configs")
    shutil.copy(ROOT / "docs" / "benchmarks.md", folder / "docs")
    np.savez(folder / "head_model.npz", **content())
    # As many as training and evaluation take.
    faces = drawn_faces(36)
    for number, face in enumerate(faces):
        face.save(folder / "faces" / f"{number}.png")
    for number in range(len(faces) // 2):
        photograph = scene(900, 600)
        paste(photograph, faces[2 * number], Square((250, 320), 260, 12))
        paste(photograph, faces[2 * number + 1], Square((620, 280), 200, -8))
        photograph.save(folder / "photos" / f"{number}.jpg")
    for copy in ("photo.jpg", "portraits/two people.jpg"):
        shutil.copy(folder / "photos" / "0.jpg", folder / copy)
    for copy in ("photos_aside", "bucket/photos"):
        shutil.copytree(folder / "photos", folder / copy)
    return folder


@pytest.fixture(scope="session")
def follow(stand_ins, ports):
    """Runs the blocks of a page in a folder: `follow(page, folder)`."""
    path = os.pathsep.join([str(stand_ins), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    # As for users, whose programs train twice as fast with it.
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)

    def run(page, folder):
        try:
            for code in commands(page):
                for port, free in ports.items():
                    code = re.sub(rf"\b{port}\b", str(free), code)
                result = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", code],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                )
                assert result.returncode == 0, f"{code}\n{result.stderr[-3000:]}"
        finally:
            subprocess.run([stand_ins / "stop-services"], cwd=folder, check=True)

    return run


@pytest.fixture(scope="session")
def prepared(belongings, tmp_path_factory):
    """The faces of `belongings`, prepared in both sizes that pages name."""
    folder = tmp_path_factory.mktemp("prepared")
    for size in (64, 128):
        prepare_pictures(belongings / "faces", folder / str(size), size)
    return folder


@pytest.fixture
def furnished(belongings, prepared, tmp_path):
    """A folder with what a page expects, from one to begin with: `furnished(page)`."""

    def furnish(page, beginning=belongings):
        folder = tmp_path / "folder"
        shutil.copytree(beginning, folder, symlinks=True)
        shutil.copytree(prepared, folder / "data", dirs_exist_ok=True)
        if "--output=prepared " not in "\n".join(commands(page)):
            (folder / "prepared").symlink_to(folder / "data" / "64")
        return folder

    return furnish
