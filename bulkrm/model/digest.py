"""Content digests, `algorithm:hex`."""

import hashlib
import re
from typing import Self

from bulkrm.model.errors import InputError, Problem

# Only the algorithms that the OCI image specification registers (image-spec descriptor.md, "Registered algorithms").
# A registry answers 400 to upper-case hex (distribution 2.8.2), so it is refused here.
_SHAPES = {"sha256": re.compile(r"sha256:[0-9a-f]{64}"), "sha512": re.compile(r"sha512:[0-9a-f]{128}")}


def is_digest(text: str) -> bool:
    """Tell whether the text is a well-formed digest."""
    shape = _SHAPES.get(text.partition(":")[0])
    return shape is not None and shape.fullmatch(text) is not None


class Digest(str):
    """A digest that is well-formed: `sha256:` and 64, or `sha512:` and 128 lower-case hex digits.

    It is a `str`, so it can be used in URLs, JSON and dictionaries without conversion (image-spec descriptor.md, "Digests").
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text. Raises InputError where it is not a digest."""
        if not is_digest(text):
            raise InputError(
                Problem("", f"{text[:160]!r} is not a digest", "write sha256: and 64 lower-case hex digits")
            )
        return super().__new__(cls, text)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """Compute the digest of `content`; `algorithm` is a name that `hashlib` knows."""
        return super().__new__(cls, f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")

    @property
    def algorithm(self) -> str:
        """`sha256` or `sha512`."""
        return self.partition(":")[0]

    @property
    def short(self) -> str:
        """The algorithm and the first twelve hex digits: `sha256:0123456789ab`."""
        algorithm, _, digits = self.partition(":")
        return f"{algorithm}:{digits[:12]}"
