"""Patterns of the values of labels and annotations: `*` matches any text, with `/` too; `?`, `[a-z]`, `{a,b}`."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.syntax import MAX_TEXT, TOO_MANY, refuse


@valueclass
class TextPattern:
    """A pattern that is matched against whole values. Raises InputError with one Problem for a malformed text."""

    text: str
    _fits: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile."""
        from bulkrm.selection.patterns import wildcards  # noqa: PLC0415 (loaded on use)

        if len(self.text) > MAX_TEXT:
            refuse(self.text, f"is longer than {MAX_TEXT} characters", "write a shorter pattern, with *")
        object.__setattr__(self, "_fits", wildcards.of_text(self.text) or refuse(self.text, *TOO_MANY))

    def matches(self, value: str) -> bool:
        """Tell whether the pattern matches a value."""
        if not value:  # `*` of wcmatch wants a character where it stands alone
            return not self.text.strip("*")
        return self._fits(value) is not None


Pairs = tuple[tuple[str, TextPattern], ...]


def all_match(patterns: Pairs, values: Mapping[str, str]) -> bool:
    """Tell whether each key is there with a value that matches its pattern."""
    return all(key in values and pattern.matches(values[key]) for key, pattern in patterns)


def as_text(key: str, patterns: Pairs) -> str:
    """Return a condition as one line for messages: `labels: {stage: dev*}`."""
    return f"{key}: {{{', '.join(f'{name}: {pattern.text}' for name, pattern in patterns)}}}"
