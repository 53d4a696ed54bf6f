"""Patterns of repositories and tags: `*` and `?` stop at `/`, `**` crosses it, `[a-z]`, `{a,b}`.

Each is compiled once, to one regular expression. A pattern that can never match is refused where that is evident, because
a protect pattern with a typing error would protect nothing.
"""

import re
from collections.abc import Callable
from dataclasses import field
from typing import Self

from bulkrm.model.reference import HTTPS_PORT, HUB, Repository
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.syntax import check_text, compile_host, compile_path, compile_tag, refuse, split_tag

Fits = Callable[[str], object]  # returns None where the text does not match

# The tag schema of the OCI distribution specification for referrers, which cosign follows with a suffix.
_ARTIFACT = re.compile(r"sha(?:256|512)-[0-9a-f]{64}")


@valueclass
class TagPattern:
    """Chooses tags. It chooses artifact tags (`sha256-<hex>...`: signatures and the like) only if its text starts that way.

    Raises InputError with one Problem when the text is not a pattern.
    """

    text: str
    _fits: Fits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile."""
        object.__setattr__(self, "_fits", compile_tag(self.text))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def matches(self, tag: str) -> bool:
        """Tell whether the pattern chooses this tag."""
        if self._fits(tag) is None:
            return False
        return _ARTIFACT.match(tag) is None or self.text.startswith(tag[: len("sha256-")])


@valueclass
class ExcludePattern:
    """Excludes tags, artifact tags too: unlike a TagPattern, it cannot cause a deletion.

    Raises InputError with one Problem when the text is not a pattern.
    """

    text: str
    _fits: Fits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile."""
        object.__setattr__(self, "_fits", compile_tag(self.text))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def matches(self, tag: str) -> bool:
        """Tell whether the pattern excludes this tag."""
        return self._fits(tag) is not None


@valueclass
class RepositoryPattern:
    """Chooses repositories of one registry; `host` is a normal form, `text` the pattern of the path.

    Raises InputError with one Problem when the text is not a pattern.
    """

    host: str
    text: str
    _fits: Fits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile."""
        object.__setattr__(self, "_fits", compile_path(self.text))

    def __str__(self) -> str:
        """`host/pattern`."""
        return f"{self.host}/{self.text}"

    def matches(self, path: str) -> bool:
        """Tell whether the pattern chooses this path, which has no host."""
        return self._fits(path) is not None


@valueclass
class ProtectPattern:
    """A pattern of tags that are never deleted. `parse` makes it; `text` is what the user wrote."""

    text: str
    _host_fits: Fits | None = field(repr=False, compare=False)
    _path_fits: Fits = field(repr=False, compare=False)
    _tag_fits: Fits = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, default_port: int = HTTPS_PORT) -> Self:
        """Parse `[host/]path:tag`, all three of which may be patterns.

        Without a host the pattern applies on every host, and a path without `/` is the last component of any path. A
        first component with `.` or `:`, or `localhost`, is a host. Raises InputError with one Problem.
        """
        check_text(text, "tags are protected, not digests: write the tags that are on it")
        name, tag = split_tag(text)
        if tag is None:
            everywhere = "" if "/" in text else f", or *:{text} for that tag everywhere"
            refuse(text, "does not say which tags", f"write {text}:* for all tags{everywhere}")
        if not name:
            refuse(text, "has no repository", f"write *{text} for every repository")
        first, slash, rest = name.partition("/")
        if slash and _is_host(first):
            return cls(text, compile_host(first, default_port), compile_path(rest), compile_tag(tag))
        return cls(text, None, compile_path(name if slash else f"**/{name}"), compile_tag(tag))

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def protects(self, repository: Repository, tag: str) -> bool:
        """Tell whether the pattern protects this tag."""
        return self._tag_fits(tag) is not None and self.holds_in(repository)

    def holds_in(self, repository: Repository) -> bool:
        """Tell whether the pattern protects any tags of this repository."""
        if self._host_fits is None:
            return self._path_fits(repository.path) is not None
        if self._host_fits(repository.host) is None:
            return False
        # `docker.io/nginx` is short for `docker.io/library/nginx`, as in Docker.
        short = repository.path.removeprefix("library/") if repository.host == HUB else repository.path
        return self._path_fits(repository.path) is not None or self._path_fits(short) is not None


def _is_host(first: str) -> bool:
    """Tell whether the first component is a host. The dots of `{1..3}` do not count.

    Unlike in references, an upper-case letter does not make it a host: `Team/app:*` would protect nothing without an
    error, since paths are lower case.
    """
    dotted = first.replace("..", "")
    return "." in dotted or ":" in dotted or first == "localhost"
