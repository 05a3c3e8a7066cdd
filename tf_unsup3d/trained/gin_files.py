"""gin files as data.

gin's own parser reads them, but nothing in them is imported, looked up or called: an
untrusted file can do no more than bind literal values to names. `Configuration` checks
the names and values.
"""

import dataclasses
import pathlib
import tokenize
from collections.abc import Callable, Sequence

from gin import config_parser

from tf_unsup3d.errors import UserError

# Experiments are included by names such as "gin_configs/heads64.gin".
_PACKAGE = pathlib.Path(__file__).resolve().parents[1]
_LARGEST_FILE = 2**20
# Values after macros are replaced; a few lines could otherwise stand for any number.
_MOST_VALUES = 10_000
_DEEPEST_MACROS = 100


@dataclasses.dataclass(frozen=True)
class Reference:
    """An object made of a class and its bindings, `@Name()` in a gin file.

    Attributes:
      name: Name of the class.
    """

    name: str


@dataclasses.dataclass(frozen=True)
class _Macro:
    """The value of a name that is bound elsewhere, `%name` in a gin file."""

    name: str


Value = bool | int | float | str | tuple | Reference | None
# Values by the name of the parameter, by the name of the class.
Bindings = dict[str, dict[str, Value]]


class _Parser(config_parser.ParserDelegate):
    """Parses references and macros without resolving them."""

    def configurable_reference(
        self, scoped_configurable_name: str, evaluate: bool
    ) -> Reference:
        if not evaluate or "/" in scoped_configurable_name:
            raise SyntaxError(
                f"@{scoped_configurable_name} is not supported; write "
                f"@{scoped_configurable_name.rsplit('/', 1)[-1]}()"
            )
        return Reference(scoped_configurable_name.rsplit(".", 1)[-1])

    def macro(self, macro_name: str) -> _Macro:
        return _Macro(macro_name)


def read_bindings(files: Sequence[str], bindings: Sequence[str] = ()) -> Bindings:
    """Reads the gin files of an experiment, then single bindings.

    A relative file name such as `gin_configs/heads64.gin` is looked up in the current
    folder first, then among the experiments that come with the package. This applies to
    included files, too.

    Args:
      files: Names of gin files; a later file overrides an earlier one.
      bindings: Lines such as `"Trainer.batch_size = 16"`, which override the files.

    Returns:
      The bound values.

    Raises:
      UserError: A file is missing or includes itself, or a line is not understood.
    """
    collected = _Collected()
    for name in files:
        collected.read(find_file(name), collected.include)
    for binding in bindings:
        collected.parse(binding, f"--gin_bindings={binding!r}", collected.include)
    return collected.resolved(", ".join(files) or "--gin_bindings")


def bound_names(bindings: Sequence[str]) -> list[tuple[str, str]]:
    """Returns which parameters single bindings bind, without files that they include.

    Args:
      bindings: Lines such as `"Trainer.batch_size = 16"`.

    Returns:
      The names of the classes and of their parameters.

    Raises:
      UserError: A line is not understood.
    """
    collected = _Collected()
    for binding in bindings:
        collected.parse(binding, f"--gin_bindings={binding!r}", lambda *_: None)
    return collected.names()


def read_complete_file(path: pathlib.Path) -> Bindings:
    """Reads a gin file that includes no other file, such as that of a run.

    Args:
      path: Path of the file.

    Returns:
      The bound values.

    Raises:
      UserError: The file cannot be read, is not text, or holds anything but bindings.
    """
    collected = _Collected()
    collected.read(path, _refuse_include)
    return collected.resolved(str(path))


def find_file(name: str) -> pathlib.Path:
    """Finds a gin file in the current folder or among the files of the package.

    Args:
      name: Absolute or relative name of the file.

    Returns:
      The path of the file.

    Raises:
      UserError: There is no such file.
    """
    # An installed package contains the experiments; a checkout has them beside it.
    for folder in (pathlib.Path(), _PACKAGE, _PACKAGE.parent):
        path = folder / name
        if path.is_file():
            return path
    raise UserError(f"no such gin file: {name}")


def format_bindings(bindings: Bindings) -> str:
    """Formats bindings as the text of a gin file.

    Args:
      bindings: Values by the names of classes and parameters.

    Returns:
      The text, from which `read_complete_file` reads the same values.
    """
    lines: list[str] = []
    for name, values in bindings.items():
        if lines and values:
            lines.append("")
        for parameter, value in values.items():
            lines.append(f"{name}.{parameter} = {format_value(value)}")
    return "\n".join(lines) + "\n"


def format_value(value: Value) -> str:
    """Formats a value as gin files have it."""
    return f"@{value.name}()" if isinstance(value, Reference) else repr(value)


class _Collected:
    """Bindings collected from several files."""

    def __init__(self) -> None:
        self._bindings: dict[str, dict[str, Value | _Macro]] = {}
        self._macros: dict[str, Value | _Macro] = {}
        self._open: list[pathlib.Path] = []
        self._resolved = 0

    def read(self, path: pathlib.Path, include: Callable[[str, str], None]) -> None:
        """Adds the bindings of a file."""
        real = path.resolve()
        if real in self._open:
            raise UserError(f"{path} includes itself")
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise UserError(f"{path} is too large for a gin file")
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8 text") from error
        self._open.append(real)
        self.parse(text, str(path), include)
        self._open.pop()

    def include(self, name: str, source: str) -> None:
        """Adds the bindings of an included file."""
        del source
        self.read(find_file(name), self.include)

    def parse(
        self, text: str, source: str, include: Callable[[str, str], None]
    ) -> None:
        """Adds the bindings of a text; a later one replaces an earlier one."""
        try:
            for statement in config_parser.ConfigParser(text, _Parser()):
                match statement:
                    case config_parser.BindingStatement():
                        self._bind(statement, source)
                    case config_parser.IncludeStatement():
                        include(statement.filename, source)
                    case config_parser.ImportStatement():
                        raise UserError(
                            f"{source}: {statement.format()!r} is refused; a gin file "
                            "can only bind values"
                        )
        except SyntaxError as error:
            line = f", line {error.lineno}" if error.lineno and "\n" in text else ""
            message = " ".join(str(error.msg).split())
            raise UserError(f"{source}{line}: {message}") from error
        except tokenize.TokenError as error:
            raise UserError(f"{source}: a bracket or string is not closed") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise UserError(f"{source}: not understood as gin: {error}") from error

    def _bind(self, statement: config_parser.BindingStatement, source: str) -> None:
        if statement.scope:
            raise UserError(f"{source}: scopes such as {statement.scope}/ are unknown")
        value = _as_tuples(statement.value)
        if statement.arg_name:
            name = statement.selector.rsplit(".", 1)[-1]
            self._bindings.setdefault(name, {})[statement.arg_name] = value
        else:
            self._macros[statement.selector] = value

    def names(self) -> list[tuple[str, str]]:
        """Returns the names of the classes and of their bound parameters."""
        return [(name, key) for name, keys in self._bindings.items() for key in keys]

    def resolved(self, source: str) -> Bindings:
        """Returns the bindings of a source, with each macro replaced by its value."""
        try:
            return {
                name: {key: self._resolve(value) for key, value in values.items()}
                for name, values in self._bindings.items()
            }
        except RecursionError as error:
            raise UserError(f"{source}: values are nested too deeply") from error
        except ValueError as error:
            raise UserError(f"{source}: {error}") from error

    def _resolve(self, value: Value | _Macro, seen: tuple[str, ...] = ()) -> Value:
        self._resolved += 1
        if self._resolved > _MOST_VALUES or len(seen) > _DEEPEST_MACROS:
            raise ValueError("there are too many values, or macros within macros")
        if isinstance(value, tuple):
            return tuple(self._resolve(part, seen) for part in value)
        if not isinstance(value, _Macro):
            return value
        if value.name in seen or value.name not in self._macros:
            raise ValueError(f"%{value.name} is bound to no value")
        return self._resolve(self._macros[value.name], (*seen, value.name))


def _refuse_include(name: str, source: str) -> None:
    raise UserError(f"{source}: includes {name!r}; here a file must be complete")


def _as_tuples(value: list | Value | _Macro) -> Value | _Macro:
    """Turns lists into tuples, so that values cannot be changed."""
    if isinstance(value, list | tuple):
        return tuple(_as_tuples(part) for part in value)
    return value
