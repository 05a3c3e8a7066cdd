"""Files that are either whole or not there."""

import contextlib
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
