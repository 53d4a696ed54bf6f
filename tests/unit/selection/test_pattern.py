"""Patterns of tags, repositories and what is protected."""

import time
from collections.abc import Callable

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.reference import Repository
from bulkrm.selection.patterns.pattern import ExcludePattern, ProtectPattern, RepositoryPattern, TagPattern
from tests.support.work import work

ARTIFACT = "sha256-" + "ab" * 32


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("1.10", ["1.10"], ["1.1", "1.100", "1x10"]),
        ("*", ["a", "1.0", "_"], []),
        ("**", ["a", "1.0"], []),
        ("pr-*", ["pr-1", "pr-", "pr-1-keep"], ["pr", "xpr-1", "PR-1"]),
        ("pr-**x", ["pr-x", "pr-ax"], ["pr-xa"]),
        ("pr-?", ["pr-1"], ["pr-", "pr-12"]),
        ("v[0-9].[0-9]", ["v1.2"], ["v1.", "v10.2", "va.b"]),
        ("v[!0-9]*", ["va", "vx1"], ["v1", "v"]),
        ("v[^0-9]", ["va"], ["v1"]),
        ("[a-]x", ["ax", "-x"], ["bx"]),
        ("{a,b}-{1..3}", ["a-1", "b-3"], ["c-1", "a-4", "a"]),
        ("{a,b{c,d*}}", ["a", "bc", "bdd"], ["b", "ac"]),
        ("x{,-rc*}", ["x", "x-rc1"], ["x-"]),
        ("{01..03}", ["01", "03"], ["1"]),
        ("{a..c}", ["b"], ["d"]),
        ("[A-Z]*", ["Rc"], ["rc"]),
    ],
)
def test_matching_tags(pattern: str, yes: list[str], no: list[str]) -> None:
    """The same pattern chooses and excludes the same ordinary tags, whole ones and by exact case."""
    for kind in (TagPattern(pattern), ExcludePattern(pattern)):
        assert [tag for tag in yes + no if kind.matches(tag)] == yes


@pytest.mark.parametrize("tag", [ARTIFACT, f"{ARTIFACT}.sig", "sha512-" + "ab" * 64])
def test_artifact_tags_are_chosen_only_by_name(tag: str) -> None:
    """A pattern chooses signatures and the like only if it starts with their prefix; excluding them needs no prefix."""
    assert not TagPattern("*").matches(tag)
    assert not TagPattern("{sha256-*,sha512-*}").matches(tag)
    assert TagPattern(f"{tag[:7]}*").matches(tag)
    assert ExcludePattern("*").matches(tag)


def test_a_tag_that_only_begins_like_an_artifact_tag_is_ordinary() -> None:
    """Without 64 hex digits it is a tag like any other."""
    assert TagPattern("*").matches("sha256-abc")


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("team/app", ["team/app"], ["team/apps", "x/team/app"]),
        ("team/*", ["team/app"], ["team", "team/a/b", "x/team/a"]),
        ("team/?pp", ["team/app"], ["team//pp", "team/pp"]),
        ("*", ["app"], ["team/app"]),
        ("**", ["app", "team/app", "a/b/c"], []),
        ("team/**", ["team/a", "team/a/b"], ["team", "teams/a"]),
        ("**/app", ["app", "a/app", "a/b/app"], ["a/apps", "xapp"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "ax/b"]),
        ("a**b", ["ab", "axb", "a/b", "ax/yb", "a/x/b", "ax/y/zb"], ["a/bc", "xa/b"]),
        ("team/a**", ["team/a", "team/ab", "team/a/b/c", "team/ab/c"], ["team/b", "team/b/a"]),
        ("**b/c", ["b/c", "xb/c", "a/xb/c", "a/b/c"], ["c", "b/x/c"]),
        ("{**/x,y}", ["x", "a/b/x", "y"], ["a/y"]),
        ("p{**,q}r", ["pr", "pxr", "p/x/r", "pqr"], ["p/x"]),
        ("{team,other}/{a,b/c}", ["team/a", "other/b/c"], ["team/b", "a"]),
        ("[a-c]/x", ["b/x"], ["d/x"]),
        ("team{,/x}", ["team", "team/x"], ["teams", "team/y"]),
    ],
)
def test_matching_repositories(pattern: str, yes: list[str], no: list[str]) -> None:
    """`*` and `?` stop at a slash, `**` crosses it, inside a component as well."""
    compiled = RepositoryPattern("registry.example.com", pattern)

    assert [path for path in yes + no if compiled.matches(path)] == yes


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*:latest", ["a.b/x:latest", "c.d:5000/x/y/z:latest"], ["a.b/x:later"]),
        ("app:*", ["a.b/app:1", "a.b/team/app:2"], ["a.b/app/x:1", "a.b/apps:1"]),
        ("nginx:*", ["docker.io/library/nginx:1"], ["docker.io/library/nginx2:1"]),
        ("**/prod-*:*", ["a.b/prod-x:1", "a.b/team/prod-y:2"], ["a.b/xprod-y:1", "a.b/prod-x/y:1"]),
        ("team/app:*", ["a.b/team/app:1", "c.d/team/app:1"], ["a.b/x/team/app:1"]),
        ("a.b/app:*", ["a.b/app:1"], ["a.b/team/app:1", "c.d/app:1", "a.b:5000/app:1"]),
        ("A.b:443/**:*", ["a.b/app:1", "a.b/x/y:1"], ["x.a.b/app:1"]),
        ("a.b:5000/**:1", ["a.b:5000/app:1"], ["a.b/app:1"]),
        ("localhost/**:*", ["localhost/app:1"], ["localhost:5000/app:1", "a.b/localhost/app:1"]),
        ("*.b/**:*", ["a.b/app:1", "c.b/x/y:1"], ["a.c/app:1", "a.b:5000/app:1"]),
        ("{a,c}.b:5000/**:*", ["a.b:5000/x:1", "c.b:5000/x:1"], ["a.b/x:1"]),
        ("*.b:443/**:*", ["a.b/app:1"], []),
        ("registry.*/**:*", ["registry.b:5000/app:1"], ["a.registry.b/app:1"]),
        ("[::1]:5000/**:*", ["[::1]:5000/app:1"], ["[::2]:5000/app:1"]),
        ("[a-c].b/**:*", ["a.b/app:1"], ["d.b/app:1"]),
        ("docker.io/nginx:*", ["docker.io/library/nginx:1"], ["docker.io/bitnami/nginx:1"]),
        ("index.docker.io/library/*:*", ["docker.io/library/nginx:1"], ["docker.io/bitnami/nginx:1"]),
        ("docker.io/**:*", ["docker.io/library/nginx:1", "docker.io/bitnami/nginx:1"], ["a.b/nginx:1"]),
        ("*.io/nginx:*", ["docker.io/library/nginx:1", "quay.io/nginx:1"], ["quay.io/library/nginx:1"]),
        ("*/app:*", ["a.b/team/app:1"], ["a.b/app:1", "a.b/x/y/app:1"]),
        ("{1..2}/app:*", ["a.b/1/app:1"], ["a.b/3/app:1"]),
        ("*:*", [f"a.b/app:{ARTIFACT}"], []),
    ],
)
def test_protecting(pattern: str, yes: list[str], no: list[str]) -> None:
    """Without a host on every host, without a slash any last component; artifact tags are protected like others."""
    protect = ProtectPattern.parse(pattern)

    assert [image for image in yes + no if _protects(protect, image)] == yes


def test_the_default_port_of_a_protected_host() -> None:
    """With plain HTTP, `:80` is the port that is left out."""
    repository = Repository("a.b", "app")

    assert ProtectPattern.parse("a.b:80/app:*", 80).protects(repository, "1")
    assert ProtectPattern.parse("*.b:80/app:*", 80).protects(repository, "1")
    assert not ProtectPattern.parse("a.b:443/app:*", 80).protects(repository, "1")


def test_a_repository_can_be_asked_for_without_a_tag() -> None:
    """`holds_in` tells whether any tag there could be protected."""
    assert ProtectPattern.parse("app:latest").holds_in(Repository("a.b", "team/app"))
    assert not ProtectPattern.parse("app:latest").holds_in(Repository("a.b", "team/other"))


def test_patterns_print_as_they_were_written() -> None:
    """Reports show the text of a pattern, a repository's with its host."""
    assert str(TagPattern("pr-*")) == "pr-*"
    assert str(ExcludePattern("*-keep")) == "*-keep"
    assert str(RepositoryPattern("a.b", "team/*")) == "a.b/team/*"
    assert str(ProtectPattern.parse("A.b/**:*")) == "A.b/**:*"
    assert "Pattern(text='pr-*')" in repr(TagPattern("pr-*"))


def test_equal_texts_are_equal_patterns() -> None:
    """Patterns compare by what they say."""
    assert TagPattern("pr-*") == TagPattern("pr-*") != TagPattern("pr-**")
    assert ProtectPattern.parse("*:1") == ProtectPattern.parse("*:1")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "an empty pattern"),
        ("{a,b", "has a '{' that is not closed"),
        ("a}", "has a '}' out of place"),
        ("{a}", "braces give a choice, {a,b}"),
        ("{}", "has a '}' out of place"),
        ("{a..Z}", "has a '}' out of place"),
        ("a,b", "has a ',' out of place"),
        ("{{{{{a,b},b},b},b},b}", "4 levels at most"),
        ("[a-z", "has a '[' without its partner"),
        ("a]", "has a ']' without its partner"),
        ("[]", "has a '[' without its partner"),
        ("[!]", "has a '[' without its partner"),
        ("[a b]", "write a set of characters as [a-z]"),
        ("[[:alpha:]]", "has a '[' without its partner"),
        ("[z-a]", "z-a goes backwards; write a-z"),
        ("a***", "has more than two stars in a row"),
        (r"a\*", "has a backslash"),
        ("a b", "can never match: no name holds ' '"),
        ("a/b", "can never match: no name holds '/'"),
        ("\u00e9*", "can never match: no name holds '\u00e9'"),
        ("-*", "a tag starts with a letter, a digit or '_'"),
        (".x*", "a tag starts with a letter, a digit or '_'"),
        ("{1..5000}", "stands for more than 1000 patterns"),
        ("{a,b}" * 12, "stands for more than 1000 patterns"),
    ],
)
def test_what_is_no_tag_pattern(pattern: str, message: str) -> None:
    """What is unclosed, has no effect or can never match is an error, for choosing and for excluding."""
    for kind in (TagPattern, ExcludePattern):
        with pytest.raises(InputError) as caught:
            kind(pattern)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("Team/*", "upper-case letters; repository names are lower case: team/*"),
        ("{A..C}/x", "upper-case letters"),
        ("/a", "no '/' at its ends"),
        ("a/", "no '/' at its ends"),
        ("a//b", "no '//' in it"),
        ("a:b", "no name holds ':'"),
        ("**/a/**/b/**/c/**", "has more than 3 '**'"),
    ],
)
def test_what_is_no_repository_pattern(pattern: str, message: str) -> None:
    """A repository pattern that can never match, or would take for ever, is an error."""
    with pytest.raises(InputError) as caught:
        RepositoryPattern("a.b", pattern)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "an empty pattern"),
        ("latest", "write latest:* for all tags"),
        ("a.b:5000/app", "write a.b:5000/app:* for all tags"),
        ("app:", "an empty pattern of a repository or a tag"),
        (":latest", "has no repository"),
        ("a.b/:latest", "an empty pattern of a repository or a tag"),
        ("/app:1", "no '/' at its ends"),
        ("app@sha256:" + "ab" * 32, "tags are protected, not digests"),
        ("https://a.b/app:1", "starts with a scheme; write a.b/app:1"),
        ("user:secret@a.b/app:*", "'***@a.b/app:*' holds credentials"),
        ("Team/app:*", "has upper-case letters"),
        ("{a.b,c.d/x}/y:*", "has a '{' that is not closed"),
        ("a_b.c/x:*", "is not a registry host"),
        ("*_b.c/x:*", "no name holds '_'"),
        ("a" * 2000, "is longer than 1000 characters"),
    ],
)
def test_what_protects_nothing(pattern: str, message: str) -> None:
    """A protection that would never hold is an error, because it would be relied on."""
    with pytest.raises(InputError) as caught:
        ProtectPattern.parse(pattern)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def _protects(pattern: ProtectPattern, image: str) -> bool:
    host, _, rest = image.partition("/")
    path, _, tag = rest.rpartition(":")
    return pattern.protects(Repository(host, path), tag)


@pytest.mark.parametrize(
    ("pattern", "tag"),
    [("*a" * 30 + "*b", "a" * 128), ("*?" * 30 + "b", "a" * 128), ("*[a-c]" * 30 + "*d", "abc" * 42)],
)
def test_many_stars_match_fast(pattern: str, tag: str) -> None:
    """A pattern that can be tried in very many ways is not tried in all of them."""
    began = time.process_time()

    assert not TagPattern(pattern).matches(tag)
    assert time.process_time() - began < 250 * work()


@pytest.mark.parametrize("make", [TagPattern, ExcludePattern, ProtectPattern.parse])
def test_a_long_pattern(make: Callable[[str], object]) -> None:
    """A pattern that is longer than any name is refused before it is compiled."""
    with pytest.raises(InputError, match="longer than 1000 characters"):
        make("*:" * (make == ProtectPattern.parse) + "a*" * 30_000)
