"""The manifest of a prepared folder: written, read, and checked field by field."""

import dataclasses
import json

import pytest

from tf_unsup3d.data import manifest as manifests
from tf_unsup3d.errors import UserError

SHA256 = "0123456789abcdef" * 4
MANIFEST = manifests.Manifest(
    count=5,
    resolution=16,
    source="photos",
    source_checksum=SHA256,
    checksum=SHA256,
    skipped=1,
    shards=(
        manifests.Shard("pictures-00000-of-00002.tfrecord", 5, SHA256),
        manifests.Shard("pictures-00001-of-00002.tfrecord", 0, SHA256),
    ),
)
MISSING = object()


def changed(place, value):
    """The JSON value of `MANIFEST` with one place changed, or removed."""
    values = json.loads(json.dumps(dataclasses.asdict(MANIFEST)))
    *path, last = place
    holder = values
    for key in path:
        holder = holder[key]
    if value is MISSING:
        del holder[last]
    else:
        holder[last] = value
    return values


def read(folder, text):
    (folder / "dataset.json").write_text(text)
    return manifests.read_manifest(folder)


def test_a_written_manifest_is_read_again(tmp_path):
    manifests.write_manifest(tmp_path, MANIFEST)
    assert manifests.read_manifest(tmp_path) == MANIFEST


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (["count"], "5", "count is '5', not an integer of at least 1"),
        (["count"], -1, "count is -1, not an integer of at least 1"),
        (["count"], 0, "count is 0, not an integer of at least 1"),
        (["count"], True, "count is True, not an integer"),
        (["count"], 5.0, "count is 5.0, not an integer"),
        (["count"], float("nan"), "count is nan, not an integer"),
        (["count"], None, "count is None, not an integer"),
        (["count"], 6, "count is 6, but the shards hold 5 pictures"),
        (["count"], MISSING, "count is missing"),
        (["resolution"], [16], r"resolution is \[16\], not an integer"),
        (["resolution"], 24, "resolution 24 is not a power of two"),
        (["resolution"], 0, "resolution 0 is not a power of two"),
        (["source"], ["photos"], r"source is \['photos'\], not a string"),
        (["source_checksum"], None, "source_checksum is None, not a SHA-256"),
        (["checksum"], None, "checksum is None, not a SHA-256"),
        (["checksum"], "x" * 64, "checksum is 'x.*', not a SHA-256"),
        (["checksum"], SHA256 + "\n", "checksum is '0.*', not a SHA-256"),
        (["skipped"], "none", "skipped is 'none', not an integer of at least 0"),
        (["skipped"], -1, "skipped is -1, not an integer of at least 0"),
        (["shards"], None, "shards is None, not an array"),
        (["shards"], {"file": "a"}, "shards is {'file': 'a'}, not an array"),
        (["shards"], "pictures", "shards is 'pictures', not an array"),
        (["shards"], [], "count is 5, but the shards hold 0 pictures"),
        (["shards", 1], "pictures", r"shards\[1\] is 'pictures', not an object"),
        (["shards", 1], None, r"shards\[1\] is None, not an object"),
        (["shards", 0, "file"], MISSING, r"shards\[0\]\.file is missing"),
        (["shards", 0, "file"], 3, r"shards\[0\]\.file is 3, not the name of a shard"),
        (["shards", 0, "file"], "", r"shards\[0\]\.file is '', not the name"),
        (["shards", 0, "file"], "..", r"shards\[0\]\.file is '\.\.', not the name"),
        (["shards", 0, "file"], "../../x", r"shards\[0\]\.file is '../../x', not the"),
        (["shards", 0, "file"], "/etc/passwd", r"shards\[0\]\.file is '/etc/passwd'"),
        (["shards", 0, "file"], "pictures-00000-of-00002.tfrecord\n", "file is 'pict"),
        (["shards", 1, "count"], -1, r"shards\[1\]\.count is -1, not an integer"),
        (["shards", 1, "count"], "0", r"shards\[1\]\.count is '0', not an integer"),
        (["shards", 1, "count"], MISSING, r"shards\[1\]\.count is missing"),
        (["shards", 1, "sha256"], "abc", r"shards\[1\]\.sha256 is 'abc', not a SHA"),
        (["shards", 1, "sha256"], 5, r"shards\[1\]\.sha256 is 5, not a SHA-256"),
        (["shards", 1, "sha256"], MISSING, r"shards\[1\]\.sha256 is missing"),
        (["format_version"], MISSING, "format_version is missing"),
        (["format_version"], "1", "format_version is '1', not an integer"),
        (["format_version"], [1], r"format_version is \[1\], not an integer"),
        (["format_version"], 99, "format_version is 99, but this program reads"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, place, value, fault):
    with pytest.raises(UserError, match=fault) as error:
        read(tmp_path, json.dumps(changed(place, value)))
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'dataset.json'}: ")
    remedy = f"; delete {tmp_path} and prepare the pictures again"
    assert message.endswith(remedy) and "\n" not in message


def test_an_enormous_value_makes_a_short_message(tmp_path):
    with pytest.raises(UserError) as error:
        read(tmp_path, json.dumps(changed(["count"], ["long"] * 100_000)))
    assert len(str(error.value)) < 2 * len(str(tmp_path)) + 200


@pytest.mark.parametrize(
    "content", [b"[]", b"", b"{", b"\xff\xfe", b'{"count": ' * 100_000, b"NaN"]
)
def test_a_file_that_is_not_an_object_is_named(tmp_path, content):
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(UserError, match=f"^{tmp_path / 'dataset.json'} ") as error:
        manifests.read_manifest(tmp_path)
    assert "\n" not in str(error.value)
