"""The error that a user can mend."""


class UserError(Exception):
    """Bad input: its message is one clear line naming the file, flag or tensor."""
