"""Files that are either whole or not there."""

import contextlib
import json
import os
import pathlib
import secrets
from collections.abc import Iterator

from tf_unsup3d.errors import UserError


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a temporary path that becomes `path` when the block ends well.

    The temporary file lies in the same folder (made when missing) and has the same
    suffix, so that writers that choose the format by suffix work on it. When the
    block fails, the temporary file is removed and an older `path` stays as it was.

    Args:
      path: file to write.

    Yields:
      The temporary path.

    Raises:
      UserError: the file cannot be written.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file in one piece.

    Args:
      path: file to write; its folder is made when missing.
      content: what it shall hold.

    Raises:
      UserError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text file, see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike, value: dict) -> None:
    """Writes a JSON file, see `write_bytes`."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: str | os.PathLike) -> dict:
    """Reads a JSON object; `UserError` where there is none."""
    try:
        value = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no JSON object")
    return value
