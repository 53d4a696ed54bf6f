"""References: what parses, to what, and what is refused with which advice."""

import pytest

from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.reference import (
    DigestRef,
    Repository,
    TagRef,
    mask_credentials,
    parse_host,
    parse_reference,
    parse_repository,
    split_host,
)

DIGEST = Digest("sha256:" + "ab" * 32)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("registry.example.com/team/app:1.10", "registry.example.com/team/app:1.10"),
        (f"registry.example.com/app@{DIGEST}", f"registry.example.com/app@{DIGEST}"),
        (f"registry.example.com/app:1@{DIGEST}", f"registry.example.com/app:1@{DIGEST}"),
        ("Registry.Example.COM:443/app:PR-1", "registry.example.com/app:PR-1"),
        ("localhost/app:1", "localhost/app:1"),
        ("localhost:5000/app:1", "localhost:5000/app:1"),
        ("host:5000/a/b/c:1", "host:5000/a/b/c:1"),
        ("MyHost/app:1", "myhost:443/app:1"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1"),
        ("index.docker.io/nginx:1", "docker.io/library/nginx:1"),
        ("registry-1.docker.io:443/team/app:1", "docker.io/team/app:1"),
        ("127.0.0.1:5000/app:1", "127.0.0.1:5000/app:1"),
        ("[2001:DB8:0::1]:5000/app:1", "[2001:db8::1]:5000/app:1"),
        ("[::1]/app:_1", "[::1]/app:_1"),
        ("a.b/c__d/e---f/g.h_i:1", "a.b/c__d/e---f/g.h_i:1"),
        ("a.b/" + "c" * 255 + ":" + "t" * 128, "a.b/" + "c" * 255 + ":" + "t" * 128),
    ],
)
def test_the_normal_form(text: str, normal: str) -> None:
    """A reference prints in its normal form, which reads as the same reference."""
    reference = parse_reference(text)

    assert str(reference) == normal
    assert parse_reference(normal) == reference


def test_the_parts_of_a_reference() -> None:
    """A tag, a tag with a pin and a digest are three things."""
    repository = Repository("a.b", "c")

    assert parse_reference("a.b/c:1") == TagRef(repository, "1")
    assert parse_reference(f"a.b/c:1@{DIGEST}") == TagRef(repository, "1", DIGEST)
    assert parse_reference(f"a.b/c@{DIGEST}") == DigestRef(repository, DIGEST)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("app:1", "a.b:5000/app:1"),
        ("team/app:1", "a.b:5000/team/app:1"),
        ("c.d/app:1", "c.d/app:1"),
        ("localhost/app:1", "localhost/app:1"),
    ],
)
def test_the_default_host_is_for_references_without_one(text: str, normal: str) -> None:
    """A first component with a dot or a colon, or `localhost`, is a host; else the default host is meant."""
    assert str(parse_reference(text, default_host="a.b:5000")) == normal


def test_the_default_port_is_left_out() -> None:
    """With plain HTTP the default port is 80, and 443 is one like any other."""
    assert parse_host("a.b:80", 80) == "a.b"
    assert parse_host("a.b:443", 80) == "a.b:443"
    assert parse_host("a.b:0443") == "a.b"


def test_one_text_gives_one_repository_object() -> None:
    """A million tags of one repository share it."""
    assert parse_repository("a.b/c", None) is parse_repository("a.b/c", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty reference"),
        ("  ", "an empty reference"),
        ("a.b/c", "write a.b/c:TAG or a.b/c@sha256:...; there is no default tag"),
        ("host:5000", "does not name its registry"),
        ("app:1", "write docker.io/app"),
        ("team/app:1", "'team/app' does not name its registry"),
        ("a.b/c:", "'a.b/c:' ends with ':': the tag behind it is empty; perhaps a variable is not set"),
        ("a.b/c:-1", "'-1' is not a tag"),
        ("a.b/c:1:2", "'1:2' is not a tag"),
        ("a.b/c:" + "t" * 129, "is not a tag"),
        ("a.b/c@sha256:abc", "is not a digest"),
        ("a.b/c@sha256:" + "AB" * 32, "is not a digest"),
        ("a.b/c@sha384:" + "ab" * 48, f"'sha384:{'ab' * 48}' is not a digest; write sha256:"),
        ("a.b:5/c:1@blake3:" + "ab" * 32, "is not a digest"),
        ("user:secret@a.b/c@sha512-half:" + "ab" * 32, "'sha512-half:"),
        ("user:secret@a.b/c@" + DIGEST, "'***@a.b/c@sha256:"),
        ("user:secret@registry:5000", "'***@registry:5000' holds credentials"),
        ("a.b/c%2Fd:1", "'c%2Fd' is not a repository name; components of"),
        ("a.b/\u0441:1", "is not a repository name; U+0441 is not an ASCII character; components of"),
        ("a.b/cafe\u0301:1", "U+0301 is not an ASCII character"),
        ("a.b/c:\u0441", "is not a tag; U+0441 is not an ASCII character; a tag has"),
        ("a.b/Team/c:1", "repository names are lower case: team/c"),
        ("a.b/c//d:1", "'a.b/c//d:1' has a '/' with nothing behind it"),
        ("a.b/../c:1", "is not a repository name"),
        ("a.b/./c:1", "is not a repository name"),
        ("a.b/c/:1", "a part of the repository is empty; perhaps a variable is not set"),
        ("a.b/c..d:1", "is not a repository name"),
        ("a.b/c___d:1", "is not a repository name"),
        ("a.b/-c:1", "is not a repository name"),
        ("a.b/c%2fd:1", "is not a repository name"),
        ("a.b/\u00e9:1", "is not a repository name"),
        ("a.b/" + "c" * 256 + ":1", "255 characters at most"),
        ("a.b/c :1", "has blanks in it"),
        ("a.b/c:1\n", "has blanks in it"),
        ("a.b/c\u2003d:1", "has blanks in it"),
        ("https://a.b/c:1", "starts with a scheme; write a.b/c:1"),
        ("ab" * 32, "is an image ID"),
        ("-a.b/c:1", "'-a.b' is not a registry host"),
        ("a..b/c:1", "'a..b' is not a registry host"),
        ("a.b:0/c:1", "ports go from 1 to 65535"),
        ("a.b:65536/c:1", "ports go from 1 to 65535"),
        ("a.b:/c:1", "has 'a.b:' as its host: the port is empty; perhaps a variable is not set"),
        ("/team/app:1", "begins with '/': the host before it is empty; perhaps a variable is not set"),
        (":5000/app:1", "begins with ':': the host before it is empty; perhaps a variable is not set"),
        ("a.b/:1", "a part of the repository is empty"),
        ("a.b/c:@sha256:" + "0" * 64, "has an empty tag"),
        ("[::1::2]/c:1", "is not an IPv6 address"),
        ("*.b/c:1", "a host cannot be a pattern"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    """A mistake is an InputError with one problem that says what to write."""
    with pytest.raises(InputError) as caught:
        parse_reference(text)

    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user:secret@a.b/c:1", "***@a.b/c:1"),
        ("https://user:secret@a.b/c:1", "https://***@a.b/c:1"),
        (f"user:secret@a.b/c@{DIGEST}", f"***@a.b/c@{DIGEST}"),
        ("user:se@cret@a.b/c:1", "***@a.b/c:1"),
        ("user:se/cret\n@a.b/c:1", "***@a.b/c:1"),
        (f"a.b/c@{DIGEST}", f"a.b/c@{DIGEST}"),
        ("a.b/c:1", "a.b/c:1"),
    ],
)
def test_credentials_are_masked(text: str, masked: str) -> None:
    """What stands before an `@` that no digest follows is never shown."""
    assert mask_credentials(text) == masked


def test_credentials_in_a_reference_are_refused() -> None:
    """They are an error whose message masks them."""
    with pytest.raises(InputError, match="holds credentials") as caught:
        parse_reference("user:secret@a.b/c:1")
    assert "secret" not in str(caught.value)


def test_a_host_is_cut_from_a_pattern() -> None:
    """The path behind the host may hold pattern characters, the brackets of IPv6 are none."""
    assert split_host("A.b:443/team/*", None) == ("a.b", "team/*")
    assert split_host("[::1]:5000/*", None) == ("[::1]:5000", "*")
    assert split_host("team/*", "a.b") == ("a.b", "team/*")
