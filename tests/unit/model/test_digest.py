"""Digests: only the registered algorithms, only lower-case hex."""

import pytest

from bulkrm.model.digest import Digest, is_digest
from bulkrm.model.errors import InputError

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_digest_is_its_text() -> None:
    """A Digest equals, hashes and prints as the text that it was made of."""
    digest = Digest(EMPTY)

    assert digest == EMPTY
    assert {EMPTY: 1}[digest] == 1
    assert f"{digest}" == EMPTY


def test_the_digest_of_bytes() -> None:
    """`of` computes; both algorithms give well-formed digests."""
    assert Digest.of(b"") == EMPTY
    assert Digest.of(b"", "sha512").algorithm == "sha512"
    assert len(Digest.of(b"", "sha512")) == len("sha512:") + 128


def test_the_short_form_keeps_twelve_digits() -> None:
    """People see the algorithm and the first twelve digits."""
    assert Digest(EMPTY).short == "sha256:e3b0c44298fc"
    assert Digest(EMPTY).algorithm == "sha256"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        EMPTY[:-1],
        EMPTY + "0",
        EMPTY.upper(),
        EMPTY.replace("e3b0", "E3B0"),
        EMPTY + "\n",
        " " + EMPTY,
        "sha1:" + "a" * 40,
        "md5:" + "a" * 32,
        "sha512:" + "a" * 64,
        EMPTY.removeprefix("sha256:"),
        "sha256:" + "g" * 64,
    ],
)
def test_what_is_no_digest(text: str) -> None:
    """Anything else is an InputError, and `is_digest` says so too."""
    with pytest.raises(InputError, match="is not a digest"):
        Digest(text)
    assert not is_digest(text)


def test_a_long_text_is_cut_in_the_message() -> None:
    """The message stays short, however long the text."""
    with pytest.raises(InputError) as caught:
        Digest("x" * 10_000)
    assert len(str(caught.value)) < 300
