"""The programs of the guide, run as the pages say, one command after the other.

What takes hours is made small by flags at the end of the command. The services, which
do not end, are started by the tests of the viewer and of serving.
"""

import pathlib
import subprocess
import sys

import pytest

from tests.photographs import drawn_faces, paste, scene
from tests.test_documentation import COMMANDS, ROOT
from tf_unsup3d.data.alignment import Square

PAGES = [
    "README.md",
    "docs/own_pictures.md",
    "docs/heads.md",
    "docs/meshes.md",
]
SERVICES = {"unsup3d-serve", "unsup3d-view"}
SMALL = {
    "unsup3d-train": [
        "--gin_bindings=Trainer.steps = 2",
        "--gin_bindings=Trainer.batch_size = 4",
    ],
    "unsup3d-evaluate": ["--samples=16"],
    "unsup3d-make-heads": ["--count=16", "--validation_count=2", "--test_count=2"],
    "unsup3d-train-encoder": ["--steps=2", "--held_out=4"],
    "unsup3d-sample": ["--seeds=0-1"],
}


def programs(page):
    """The commands of a page that run programs of this project and end."""
    return [
        command.words
        for command in COMMANDS
        if command.page == page
        and command.words[0].startswith("unsup3d-")
        and command.words[0] not in SERVICES
    ]


@pytest.fixture(scope="module")
def photographs():
    """Photographs of two people each: as many as training and evaluation take."""
    faces = iter(drawn_faces(36))
    made = []
    for _ in range(18):
        picture = scene(900, 600)
        for place in (Square((250, 320), 260, 12), Square((620, 280), 200, -8)):
            paste(picture, next(faces), place)
        made.append(picture)
    return made


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_followed(page, photographs, tmp_path):
    (tmp_path / "gin_configs").symlink_to(ROOT / "gin_configs")
    for folder in ("photos", "portraits"):
        (tmp_path / folder).mkdir()
    for number, picture in enumerate(photographs):
        picture.save(tmp_path / "photos" / f"{number}.jpg")
    photographs[0].save(tmp_path / "portraits" / "two people.jpg")
    commands = programs(page)
    assert commands
    for program, *arguments in commands:
        result = subprocess.run(
            [
                pathlib.Path(sys.executable).with_name(program),
                *arguments,
                *SMALL.get(program, []),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, (program, arguments, result.stderr[-3000:])
