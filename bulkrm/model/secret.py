"""Passwords and tokens as a type that does not print."""

from dataclasses import field

from bulkrm.model.valueclass import valueclass


@valueclass
class Secret:
    """Text that must not be seen: `str`, `repr` and f-strings give `***`; only `reveal()` gives the text."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text, for the one place that puts it on the wire."""
        return self._text

    def __str__(self) -> str:
        """Return `***`."""
        return "***"

    def __repr__(self) -> str:
        """Return `Secret(***)`."""
        return "Secret(***)"

    def __bool__(self) -> bool:
        """Tell whether there is any text."""
        return bool(self._text)
