"""Values of JSON files, checked as they are read."""

import os
import re
import reprlib
from collections.abc import Iterator
from typing import NoReturn

from tf_unsup3d.errors import UserError
from tf_unsup3d.files import read_json

_CHECKSUM = re.compile(r"[0-9a-f]{64}")


class JsonValue:
    """A value somewhere in a JSON file.

    Fields of objects and elements of arrays are reached by `value["name"]` and by
    iteration; the other methods return the value itself as a Python value. Whatever
    the file holds instead of the expected value raises a `UserError` that names the
    file and the place in it.
    """

    def __init__(self, value: object, *, file: str, place: str, remedy: str):
        """Initializes the value; `JsonValue.read` is how to get one.

        Args:
          value: The value as returned by `json.loads`.
          file: Name of the file, for messages.
          place: Where in the file the value is, such as `shards[3].count`; empty for
            the object at the top.
          remedy: What a user can do about a damaged file, for messages.
        """
        self._value = value
        self._file = file
        self._place = place
        self._remedy = remedy

    @classmethod
    def read(cls, path: str | os.PathLike, *, remedy: str) -> "JsonValue":
        """Reads the object at the top of a file.

        Args:
          path: The file to read.
          remedy: What a user can do if the file is damaged, such as "delete it".

        Raises:
          UserError: If the file does not hold one JSON object.
        """
        try:
            value = read_json(path)
        except UserError as error:
            raise UserError(f"{error}; {remedy}") from error
        return cls(value, file=os.fspath(path), place="", remedy=remedy)

    def __getitem__(self, name: str) -> "JsonValue":
        """Returns the field of an object."""
        if not isinstance(self._value, dict):
            self._refuse("an object")
        place = f"{self._place}.{name}" if self._place else name
        if name not in self._value:
            raise UserError(f"{self._file}: {place} is missing; {self._remedy}")
        return self._part(self._value[name], place)

    def __iter__(self) -> Iterator["JsonValue"]:
        """Yields the elements of an array."""
        if not isinstance(self._value, list):
            self._refuse("an array")
        for index, element in enumerate(self._value):
            yield self._part(element, f"{self._place}[{index}]")

    def fields(self) -> dict:
        """Returns the fields of an object, unchecked."""
        if not isinstance(self._value, dict):
            self._refuse("an object")
        return self._value

    def boolean(self) -> bool:
        """Returns true or false."""
        if not isinstance(self._value, bool):
            self._refuse("true or false")
        return self._value

    def integer(self, minimum: int = 0) -> int:
        """Returns an integer that is not below `minimum`."""
        # `True` is an `int`, too.
        if type(self._value) is not int or self._value < minimum:
            self._refuse(f"an integer of at least {minimum}")
        return self._value

    def text(self) -> str:
        """Returns a string."""
        if not isinstance(self._value, str):
            self._refuse("a string")
        return self._value

    def matching(self, pattern: re.Pattern[str], description: str) -> str:
        """Returns a string of a certain form.

        Args:
          pattern: Regular expression that the whole string has to match.
          description: What such a string is, for the message.
        """
        if not isinstance(self._value, str) or not pattern.fullmatch(self._value):
            self._refuse(description)
        return self._value

    def checksum(self) -> str:
        """Returns the 64 hexadecimal digits of a SHA-256 checksum."""
        return self.matching(_CHECKSUM, "a SHA-256 checksum in hexadecimal")

    def _part(self, value: object, place: str) -> "JsonValue":
        return JsonValue(value, file=self._file, place=place, remedy=self._remedy)

    def _refuse(self, expected: str) -> NoReturn:
        found = reprlib.repr(self._value)
        raise UserError(
            f"{self._file}: {self._place} is {found}, not {expected}; {self._remedy}"
        )
