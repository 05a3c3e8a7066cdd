"""Paths that `tf.io.gfile` opens, such as `gs://bucket/folder`, with pathlib's methods.

This module imports TensorFlow only when such a path is used, because the worker
processes of a preparation import it.
"""

import contextlib
import errno
import fnmatch
import io
import os
import pathlib
import posixpath
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Literal, NamedTuple

# Each piece that is read may be a request over a network.
_BUFFER_BYTES = 2**20

_URL = re.compile(r"([a-z][a-z0-9+.-]*://)(.*)", re.DOTALL)


class FileState(NamedTuple):
    """What `os.stat_result` calls the size and the time of the last change of a file.

    Attributes:
      st_size: Size in bytes.
      st_mtime_ns: Time of the last change in nanoseconds.
    """

    st_size: int
    st_mtime_ns: int


class GFilePath(os.PathLike[str]):
    """A path with a scheme, and those methods of `pathlib.Path` that are needed here.

    Whatever fails raises an `OSError`, as with `pathlib.Path`.

    Args:
      url: The path, such as `gs://bucket/folder` or `file:///folder`.
    """

    def __init__(self, url: str):
        match = _URL.fullmatch(url)
        if not match:
            raise ValueError(f"{url!r} has no scheme such as gs://")
        self._scheme, path = match.groups()
        self._path = posixpath.normpath(path) if path else ""

    def __fspath__(self) -> str:
        return self._scheme + self._path

    __str__ = __fspath__

    def __repr__(self) -> str:
        return f"GFilePath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GFilePath) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __truediv__(self, name: str) -> "GFilePath":
        return GFilePath(self._scheme + posixpath.join(self._path, name))

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self._path)

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot on."""
        return posixpath.splitext(self.name)[1]

    @property
    def parent(self) -> "GFilePath":
        """The folder that holds this; of the first part of a path, that itself."""
        return GFilePath(self._scheme + (posixpath.dirname(self._path) or self._path))

    @property
    def parents(self) -> list["GFilePath"]:
        """All folders that hold this, the innermost first."""
        found = [self.parent]
        while found[-1].parent != found[-1]:
            found.append(found[-1].parent)
        return found

    def with_name(self, name: str) -> "GFilePath":
        """The same with another last part."""
        return self.parent / name

    def resolve(self) -> "GFilePath":
        """The path itself: it is never relative."""
        return self

    def exists(self) -> bool:
        """Whether there is a file or folder."""
        with _os_errors() as gfile:
            return gfile.exists(str(self))

    def is_dir(self) -> bool:
        """Whether there is a folder."""
        with _os_errors() as gfile:
            return gfile.isdir(str(self))

    def is_file(self) -> bool:
        """Whether there is a file."""
        return self.exists() and not self.is_dir()

    def stat(self) -> FileState:
        """Size and time of the last change."""
        with _os_errors() as gfile:
            found = gfile.stat(str(self))
        return FileState(found.length, found.mtime_nsec)

    def iterdir(self) -> Iterator["GFilePath"]:
        """The files and folders in this folder."""
        with _os_errors() as gfile:
            names = gfile.listdir(str(self))
        # Of folders in a bucket, some systems name a slash as well.
        return (self / name.rstrip("/") for name in names)

    def glob(self, pattern: str) -> Iterator["GFilePath"]:
        """The files and folders in this folder whose names match a pattern."""
        if not self.is_dir():
            return iter(())
        return (
            path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, pattern)
        )

    def walk(self) -> Iterator[tuple["GFilePath", list[str]]]:
        """All folders from this one down, with the names of the files in each."""
        with _os_errors() as gfile:
            for folder, _, names in gfile.walk(str(self), onerror=_raise):
                yield GFilePath(folder), names

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Opens the file for reading; `write_bytes` is what writes."""
        assert mode == "rb"
        return io.BufferedReader(_Reader(str(self)), _BUFFER_BYTES)

    def read_bytes(self) -> bytes:
        """The content of the file."""
        with self.open("rb") as file:
            return file.read()

    def write_bytes(self, content: bytes) -> None:
        """Writes the file."""
        with _os_errors() as gfile, gfile.GFile(str(self), "wb") as file:
            file.write(content)

    def replace(self, target: os.PathLike[str]) -> None:
        """Renames the file; another of that name is replaced."""
        with _os_errors() as gfile:
            gfile.rename(str(self), os.fspath(target), overwrite=True)

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the file."""
        try:
            with _os_errors() as gfile:
                gfile.remove(str(self))
        except FileNotFoundError:
            if not missing_ok:
                raise

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Creates the folder, and with it always those that should hold it."""
        del parents
        if not exist_ok and self.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        with _os_errors() as gfile:
            gfile.makedirs(str(self))

    def rmdir(self) -> None:
        """Removes the folder, which must be empty."""
        if any(self.iterdir()):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
        self.rmtree()

    def rmtree(self) -> None:
        """Removes the folder and all that is in it."""
        with _os_errors() as gfile:
            gfile.rmtree(str(self))


AnyPath = pathlib.Path | GFilePath


def to_path(path: str | os.PathLike[str]) -> AnyPath:
    """Returns a `GFilePath` for what has a scheme, and a `pathlib.Path` for the rest.

    Args:
      path: A path such as `pictures` or `gs://bucket/pictures`.
    """
    text = os.fspath(path)
    return GFilePath(text) if _URL.fullmatch(text) else pathlib.Path(path)


class _Reader(io.RawIOBase):
    """A file that is read through `tf.io.gfile`."""

    def __init__(self, url: str):
        with _os_errors() as gfile:
            self._file = gfile.GFile(url, "rb")
            self._size = self._file.size()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _os_errors():
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._size}
        position = start[whence] + offset
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        with _os_errors():
            self._file.seek(position)
        return position

    def tell(self) -> int:
        with _os_errors():
            return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


@contextlib.contextmanager
def _os_errors() -> Iterator[ModuleType]:
    """Yields `tf.io.gfile`, and raises its errors as pathlib would."""
    import tensorflow as tf

    numbers = {
        tf.errors.NotFoundError: errno.ENOENT,
        tf.errors.AlreadyExistsError: errno.EEXIST,
        tf.errors.PermissionDeniedError: errno.EACCES,
        tf.errors.ResourceExhaustedError: errno.ENOSPC,
    }
    try:
        yield tf.io.gfile
    except tf.errors.OpError as error:
        number = numbers.get(type(error))
        reason = " ".join(error.message.split()) or type(error).__name__
        if number:
            raise OSError(number, os.strerror(number)) from error
        raise OSError(errno.EIO, reason) from error


def _raise(error: Exception) -> None:
    raise error
