"""Picture files of every kind, good and bad, decoded, cropped and resized."""

import errno
import io
import os
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_unsup3d.data import pictures
from tf_unsup3d.errors import UserError

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def encode(image, file_format="PNG", **options):
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def smooth_pixels(height=32, width=32):
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // (width - 1), y * 255 // (height - 1), 255 - x * y // 8]
    return np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("file_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("PPM", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 16),
        ("JPEG", {"quality": 95, "subsampling": 0}, 16),
        ("JPEG", {"quality": 95, "progressive": True}, 16),
    ],
)
def test_formats(file_format, options, tolerance):
    pixels = smooth_pixels()
    content = encode(Image.fromarray(pixels), file_format, **options)
    loaded = pictures.load_picture(content, 32)
    assert loaded.dtype == np.uint8 and loaded.shape == (32, 32, 3)
    assert np.abs(loaded.astype(int) - pixels).max() <= tolerance


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF"])
def test_grey_becomes_three_equal_channels(file_format):
    grey = smooth_pixels()[..., 0]
    loaded = pictures.load_picture(encode(Image.fromarray(grey), file_format), 32)
    np.testing.assert_allclose(loaded, np.stack([grey] * 3, -1), atol=4)


def test_one_bit_picture():
    bits = Image.fromarray(smooth_pixels()[..., 0] > 127)
    assert bits.mode == "1"
    loaded = pictures.load_picture(encode(bits), 32)
    assert set(np.unique(loaded)) == {0, 255}


def test_transparent_parts_show_white():
    colour = Image.new("RGBA", (16, 16), (*RED, 0))
    colour.paste((*BLUE, 255), (0, 0, 8, 16))
    colour.paste((*BLUE, 51), (0, 8, 8, 16))
    loaded = pictures.load_picture(encode(colour), 16)
    assert loaded[4, 4].tolist() == list(BLUE)
    assert loaded[12, 4].tolist() == [204, 204, 255]
    assert loaded[4, 12].tolist() == [255, 255, 255]


def test_transparent_grey():
    grey = Image.new("LA", (16, 16), (0, 51))
    loaded = pictures.load_picture(encode(grey), 16)
    assert np.unique(loaded).tolist() == [204]


def test_palette_with_a_transparent_entry():
    palette = Image.new("P", (16, 16), 0)
    palette.putpalette([*RED, *GREEN, *BLUE])
    palette.paste(1, (0, 0, 8, 16))
    opaque = pictures.load_picture(encode(palette), 16)
    assert opaque[8, 4].tolist() == list(GREEN)
    assert opaque[8, 12].tolist() == list(RED)
    for file_format in ("PNG", "GIF"):
        content = encode(palette, file_format, transparency=0)
        loaded = pictures.load_picture(content, 16)
        assert loaded[8, 4].tolist() == list(GREEN)
        assert loaded[8, 12].tolist() == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_scaled(file_format):
    values = np.linspace(0, 65535, 16 * 16).astype(np.uint16).reshape(16, 16)
    loaded = pictures.load_picture(encode(Image.fromarray(values), file_format), 16)
    np.testing.assert_array_equal(loaded[..., 0], np.round(values / 257.0))


def test_sixteen_bit_colour_is_scaled():
    levels = np.linspace(0, 65535, 16 * 16 * 3).astype(np.uint16).reshape(16, 16, 3)
    loaded = pictures.load_picture(tf.io.encode_png(levels).numpy(), 16)
    np.testing.assert_allclose(loaded, levels / 257.0, atol=1)


def test_cmyk():
    content = encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=95)
    np.testing.assert_allclose(pictures.load_picture(content, 16)[8, 8], RED, atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_exif_rotation(orientation, bits):
    upright = smooth_pixels()[..., 0]
    if bits == 16:
        upright = upright.astype(np.uint16) * 257
    # How EXIF says that each orientation is stored.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    loaded = pictures.load_picture(content, 32)
    np.testing.assert_array_equal(loaded[..., 0], smooth_pixels()[..., 0])


@pytest.mark.parametrize("tall", [False, True])
@pytest.mark.parametrize("length", [48, 49])
def test_the_centre_is_kept(tall, length):
    image = Image.new("RGB", (length, 32), RED)
    image.paste(GREEN, (8, 0, 40, 32))
    if tall:
        image = image.transpose(Image.Transpose.TRANSPOSE)
    loaded = pictures.load_picture(encode(image), 32)
    assert np.unique(loaded.reshape(-1, 3), axis=0).tolist() == [list(GREEN)]


def test_reducing_does_not_alias():
    stripes = np.zeros([256, 256, 3], np.uint8)
    stripes[:, ::2] = 255
    loaded = pictures.load_picture(encode(Image.fromarray(stripes)), 16)
    np.testing.assert_allclose(loaded, 127.5, atol=6)


def test_reducing_keeps_position_and_mean():
    loaded = pictures.load_picture(encode(Image.fromarray(smooth_pixels(128, 128))), 32)
    ramp = loaded[16, :, 0].astype(float)
    np.testing.assert_allclose(ramp, (np.arange(32) + 0.5) * 255 / 32, atol=3)


def test_enlarging_up_to_twice():
    content = encode(Image.new("RGB", (16, 40), GREEN))
    loaded = pictures.load_picture(content, 32)
    assert np.unique(loaded.reshape(-1, 3), axis=0).tolist() == [list(GREEN)]


def truncated(file_format):
    noise = np.random.default_rng(0).integers(0, 256, [64, 64, 3], np.uint8)
    content = encode(Image.fromarray(noise), file_format)
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"This is no picture.\n" * 50, "not a picture"),
        (b"\xff\xd8\xff\xe0", "not a picture"),
        (b"%PDF-1.4\n" + bytes(100), "not a picture"),
        (truncated("JPEG"), "damaged: .*truncated"),
        (truncated("PNG"), "damaged: "),
        (truncated("WEBP"), "damaged: |not a picture"),
        (truncated("BMP"), "damaged: "),
        (truncated("TIFF"), "damaged: |not a picture"),
        (encode(Image.new("RGB", (1, 1))), "too small: 1x1, .* at least 16 for"),
        (encode(Image.new("RGB", (900, 15))), "too small: 900x15"),
        (encode(Image.new("F", (32, 32)), "TIFF"), "floating-point"),
        (
            encode(Image.fromarray(np.full([32, 32], 70000, np.int32)), "TIFF"),
            "more than 16 bits",
        ),
    ],
)
def test_bad_pictures(content, reason):
    with pytest.raises(pictures.BadPictureError, match=reason) as error:
        pictures.load_picture(content, 32)
    assert "\n" not in str(error.value) and " at 0x" not in str(error.value)


def with_header(content, width, height, bits, kind):
    """A PNG file whose header tells of another size and kind of pixels."""
    chunk = struct.pack(">II5B", width, height, bits, kind, 0, 0, 0)
    start = content.index(b"IHDR") + 4
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + chunk))
    return content[:start] + chunk + crc + content[start + 17 :]


@pytest.mark.parametrize(
    ("width", "height", "bits", "kind"),
    [(60000, 60000, 8, 2), (13300, 13300, 16, 0), (9000, 9000, 8, 6)],
)
def test_a_picture_of_too_many_pixels(width, height, bits, kind):
    content = encode(Image.new("RGB", (16, 16)))
    content = with_header(content, width, height, bits, kind)
    tracemalloc.start()
    try:
        with pytest.raises(pictures.BadPictureError, match="too many pixels"):
            pictures.load_picture(content, 32)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_sixteen_bits_are_scaled_in_little_memory():
    values = np.linspace(0, 65535, 2000 * 1000).astype(np.uint16).reshape(2000, 1000)
    content = encode(Image.fromarray(values))
    tracemalloc.start()
    try:
        pictures.load_picture(content, 32)
        # NumPy's share; the pixels themselves are two bytes each.
        assert tracemalloc.get_traced_memory()[1] < 6 * values.size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("resolution", [0, -8, 4, 48, 100, 2048])
def test_resolution_that_is_not_allowed(resolution):
    with pytest.raises(UserError, match=f"resolution {resolution} is not a power"):
        pictures.check_resolution(resolution)


def test_folder_listing(tmp_path):
    names = ["b.jpg", "a/z.png", "a/b/c.webp", "B.jpg", "notes.txt"]
    ignored = [".hidden.jpg", ".git/x.jpg", "__MACOSX/y.jpg", "a/Thumbs.db"]
    for name in names + ignored:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    os.symlink(tmp_path, tmp_path / "a" / "loop")
    files = pictures.list_files(tmp_path)
    assert [file.name for file in files] == sorted(names)
    assert files[0].size == len(files[0].name)


def test_archive_is_listed_as_its_folder(tmp_path):
    folder = tmp_path / "folder"
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.mkdir("sub")
        for name in ("c.jpg", "sub/a.png", "__MACOSX/._c.jpg", ".b.png"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode())
            opened.write(path, name)
    files = pictures.list_files(archive)
    assert files == pictures.list_files(folder)
    assert pictures.open_source(archive)("sub/a.png") == b"sub/a.png"


@pytest.mark.parametrize(
    ("name", "flag"), [(b"\x00photo.png", 0), (b"\xff\xfephoto", 0x800)]
)
def test_archives_with_odd_names(tmp_path, name, flag):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x" * len(name), b"first")
        archive.writestr("good.png", b"second")
    content = bytearray(path.read_bytes().replace(b"x" * len(name), name))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + place
        content[at : at + 2] = flag.to_bytes(2, "little")
    path.write_bytes(content)
    if flag:
        with pytest.raises(UserError, match=r"photos\.zip is neither a folder"):
            pictures.list_files(path)
    else:
        assert [file.name for file in pictures.list_files(path)] == ["good.png"]


def test_broken_members_are_named(tmp_path):
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("a.bmp", b"A" * 100)
    content = path.read_bytes().replace(b"A" * 100, b"A" * 99 + b"B")
    path.write_bytes(content)
    with pytest.raises(pictures.BadPictureError, match="archive: Bad CRC-32"):
        pictures.open_source(path)("a.bmp")


def test_a_member_larger_than_it_claims_takes_no_memory(tmp_path):
    path = tmp_path / "archive.zip"
    size = 2**25
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.bmp", bytes(size))
    claimed = struct.pack("<I", 1000)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), claimed))
    tracemalloc.start()
    try:
        with pytest.raises(pictures.BadPictureError, match="archive: Bad CRC-32"):
            pictures.open_source(path)("a.bmp")
        assert tracemalloc.get_traced_memory()[1] < size // 16
    finally:
        tracemalloc.stop()


def test_what_is_no_regular_file_is_named(tmp_path):
    os.symlink(tmp_path / "nowhere.jpg", tmp_path / "link.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.symlink(tmp_path / "pipe.jpg", tmp_path / "link_to_pipe.jpg")
    os.symlink("/dev/zero", tmp_path / "device.jpg")
    read = pictures.open_source(tmp_path)
    files = pictures.list_files(tmp_path)
    assert [file.size for file in files] == [0] * 4
    for file in files:
        with pytest.raises(pictures.BadPictureError, match="not a regular file"):
            read(file.name)


def test_what_may_pass_is_not_the_fault_of_the_file(tmp_path, monkeypatch):
    Image.new("RGB", (32, 32)).save(tmp_path / "good.png")

    def stale(path, mode):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(Path, "open", stale)
    with pytest.raises(UserError, match=r"cannot read .*good\.png: Stale .*continue"):
        pictures.open_source(tmp_path)("good.png")


def test_what_may_pass_is_not_the_fault_of_a_file_in_an_archive(tmp_path, monkeypatch):
    Image.new("RGB", (32, 32)).save(tmp_path / "good.png")
    archive = shutil.make_archive(tmp_path / "archive", "zip", tmp_path, "good.png")
    read = pictures.open_source(archive)
    assert read("good.png") == (tmp_path / "good.png").read_bytes()

    def stale(file, size):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(zipfile.ZipExtFile, "read", stale)
    with pytest.raises(UserError, match=r"cannot read .*archive\.zip: Stale"):
        read("good.png")


def test_exif_data_that_cannot_be_read_are_no_fault_of_the_picture():
    content = encode(Image.new("RGB", (32, 32), "red"), exif=b"Exif\0\0no header")
    picture = pictures.load_picture(content, 32)
    np.testing.assert_array_equal(picture[0, 0], [255, 0, 0])


def test_a_link_too_long_to_follow_is_named(tmp_path):
    os.symlink("x" * 300, tmp_path / "link.jpg")
    Image.new("RGB", (32, 32)).save(tmp_path / "good.png")
    read = pictures.open_source(tmp_path)
    good, link = pictures.list_files(tmp_path)
    with pytest.raises(pictures.BadPictureError, match="cannot be read: File name too"):
        read(link.name)
    assert pictures.load_picture(read(good.name), 32).shape == (32, 32, 3)


def test_files_of_the_system_that_never_end_are_not_read(tmp_path):
    # It has no size, so nothing of it is read, as of those that have no end.
    os.symlink("/proc/self/status", tmp_path / "status.jpg")
    assert Path("/proc/self/status").read_bytes()
    assert pictures.open_source(tmp_path)("status.jpg") == b""


def test_bad_sources(tmp_path):
    with pytest.raises(UserError, match="missing does not exist"):
        pictures.list_files(tmp_path / "missing")
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    (tmp_path / "empty" / ".hidden").touch()
    with pytest.raises(UserError, match="no pictures in .*empty: it is empty"):
        pictures.list_files(tmp_path / "empty")
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(UserError, match="a.txt is neither a folder nor a ZIP"):
        pictures.list_files(tmp_path / "a.txt")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    with pytest.raises(UserError, match="no pictures in .*empty.zip"):
        pictures.list_files(tmp_path / "empty.zip")


def test_names_are_printable():
    assert pictures.printable("é/ü 1.jpg") == "é/ü 1.jpg"
    strange = os.fsdecode(b"a\xff\n.jpg")
    assert pictures.printable(strange) == "a\\udcff\\n.jpg"
