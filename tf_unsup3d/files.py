"""Reading and writing files: whole files only, and one clear line for each failure."""

import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import pathlib
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator

from tf_unsup3d.errors import UserError
from tf_unsup3d.gfile_path import AnyPath, GFilePath, to_path

# A program that is killed leaves this file behind, but not the lock on it.
LOCK_NAME = ".lock"

_PARTIAL = ".partial-"
# What a file is not to blame for: the memory, and file systems that are elsewhere.
_PASSING = frozenset(
    {
        *(errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR),
        *(errno.ETIMEDOUT, errno.ESTALE, errno.ENODEV, errno.EREMOTEIO),
        *(errno.ENOTCONN, errno.ECONNRESET, errno.ECONNABORTED, errno.ECONNREFUSED),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH),
    }
)


def is_passing(error: OSError) -> bool:
    """Whether an error may be gone the next time, so that the file may be intact."""
    return error.errno in _PASSING


@contextlib.contextmanager
def reading(path: str | os.PathLike) -> Iterator[None]:
    """Turns an `OSError` in the block into "cannot read PATH: reason".

    Args:
      path: The file or folder that the block reads.

    Raises:
      UserError: If the block raises an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Turns an `OSError` in the block into "cannot write PATH: reason".

    Args:
      path: The file or folder that the block writes.

    Raises:
      UserError: If the block raises an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[AnyPath]:
    """Yields a temporary path that becomes `path` when the block succeeds.

    The file is either whole or absent, even after a power cut. If the block fails, the
    temporary file is removed and an existing `path` stays as it was. A program that is
    killed leaves the temporary file behind; see `remove_leftovers`.

    The temporary file lies in the same folder, which is created if necessary, and has
    the same suffix, because many writers choose the format by the suffix.

    Args:
      path: The file to write.

    Yields:
      The temporary path. The block must create a file there.

    Raises:
      UserError: If the file cannot be written.
    """
    path = to_path(path)
    temporary = path.with_name(f"{_PARTIAL}{secrets.token_hex(4)}{path.suffix}")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if isinstance(temporary, pathlib.Path):
                _flush_to_disk(temporary)
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def creating_folder(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields a temporary folder that becomes `path` when the block succeeds.

    The folder is either whole or absent. If the block fails, the temporary folder is
    removed. It lies in the same folder as `path`, which is created if necessary.

    Args:
      path: The folder to write, which must not exist.

    Yields:
      The temporary folder, which is empty.

    Raises:
      UserError: If the folder exists or cannot be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f"{_PARTIAL}{secrets.token_hex(4)}")
    with writing(path):
        try:
            temporary.mkdir(parents=True)
            yield temporary
            # Renaming would replace an empty folder.
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def check_writable(folder: str | os.PathLike) -> None:
    """Checks, before long work, that its result can be written; writes nothing.

    Args:
      folder: Folder to write to, which need not exist.

    Raises:
      UserError: Files cannot be created in the folder, or the folder cannot.
    """
    path = pathlib.Path(folder).absolute()
    existing = next(place for place in (path, *path.parents) if os.path.lexists(place))
    reason = None
    if not existing.is_dir():
        reason = errno.ENOTDIR
    elif not os.access(existing, os.W_OK | os.X_OK):
        reason = errno.EACCES
    if reason:
        raise UserError(f"cannot write {folder}: {os.strerror(reason)}")


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file with the guarantees of `replacing`.

    Args:
      path: The file to write. Its folder is created if necessary.
      content: The content of the file.

    Raises:
      UserError: If the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a UTF-8 text file with the guarantees of `replacing`.

    Characters that UTF-8 does not have, as in names of files in other encodings, are
    written as escapes with a backslash.

    Args:
      path: The file to write. Its folder is created if necessary.
      text: The content of the file.

    Raises:
      UserError: If the file cannot be written.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: str | os.PathLike, value: object) -> None:
    """Writes an indented JSON file with the guarantees of `replacing`.

    Args:
      path: The file to write. Its folder is created if necessary.
      value: A value that `json.dumps` accepts.

    Raises:
      UserError: If the file cannot be written.
    """
    write_text(path, json.dumps(value, indent=2) + "\n")


def without_nan(value: object) -> object:
    """Replaces numbers that are not finite, which JSON does not have.

    Args:
      value: Numbers, strings and the like, in dictionaries, lists and tuples of any
        depth.

    Returns:
      The same with None, which JSON writes as null, where a number is NaN or infinite.
      Tuples become lists.
    """
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_json(path: str | os.PathLike) -> dict:
    """Reads a JSON file that holds one object.

    Args:
      path: The file to read.

    Returns:
      The object.

    Raises:
      UserError: If the file cannot be read, is not UTF-8 text, is not JSON, or holds
        something other than an object.
    """
    with reading(path):
        content = to_path(path).read_bytes()
    try:
        value = json.loads(content.decode())
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text") from error
    except RecursionError as error:
        raise UserError(f"{path} nests its values too deeply") from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} does not hold a JSON object")
    return value


def file_checksum(path: str | os.PathLike) -> str:
    """Computes the SHA-256 of a file.

    Args:
      path: The file to read.

    Returns:
      The checksum in hexadecimal.

    Raises:
      UserError: If the file cannot be read.
    """
    with reading(path), to_path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Removes the temporary files that killed programs left in a folder.

    Args:
      folder: A folder whose files are written by `replacing`. It need not exist. No
        other program may be writing to it.

    Raises:
      UserError: If a file cannot be removed.
    """
    with writing(folder):
        for path in to_path(folder).glob(f"{_PARTIAL}*"):
            path.unlink()


def remove_folder(folder: AnyPath) -> None:
    """Removes a folder and all that is in it; one that does not exist is no error.

    Args:
      folder: The folder.

    Raises:
      OSError: If something in it cannot be removed.
    """
    with contextlib.suppress(FileNotFoundError):
        if isinstance(folder, GFilePath):
            folder.rmtree()
        else:
            shutil.rmtree(folder)


def local_companion(folder: AnyPath) -> pathlib.Path:
    """The folder on this machine for what concerns only its processes.

    Args:
      folder: The folder that they work in.

    Returns:
      That folder itself, or for one elsewhere its companion among the temporary files,
      which is created if necessary.

    Raises:
      UserError: The companion cannot be created, or belongs to another user.
    """
    if isinstance(folder, pathlib.Path):
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    companion = pathlib.Path(tempfile.gettempdir(), f"unsup3d-{os.getuid()}-{name}")
    with writing(companion):
        companion.mkdir(0o700, exist_ok=True)
        found = companion.lstat()
        # Others may create files there, too, and links that lead elsewhere.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to somebody else")
    return companion


@contextlib.contextmanager
def exclusive(folder: str | os.PathLike) -> Iterator[None]:
    """Keeps other programs that call this out of a folder while the block runs.

    The lock ends with the process that holds it, however that ends. It keeps only
    programs on this machine out of a folder elsewhere; see `local_companion`.

    Args:
      folder: The folder, which is created if necessary.

    Raises:
      UserError: Another process works in the folder, or it cannot be written.
    """
    path = local_companion(to_path(folder)) / LOCK_NAME
    with writing(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _lock(path, folder)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _lock(path: pathlib.Path, folder: str | os.PathLike) -> int:
    """Creates and locks a file, and returns its descriptor."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before may have removed the file since it was opened.
            if os.path.exists(path) and os.path.samestat(
                os.fstat(descriptor), os.stat(path)
            ):
                os.truncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
            os.close(descriptor)
        except BlockingIOError as error:
            owner = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise UserError(
                f"{folder} is in use by another program (process {owner})"
            ) from error
        except BaseException:
            os.close(descriptor)
            raise


def _flush_to_disk(path: pathlib.Path) -> None:
    # Without this, a power cut after the renaming could leave an empty file.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
