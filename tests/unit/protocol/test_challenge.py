"""`WWW-Authenticate`: what the grammar allows, and what registries send."""

import pytest

from bulkrm.protocol.auth.challenge import Challenge, choose, parse_challenges

BEARER = Challenge(
    "bearer", {"realm": "https://auth.example/token", "service": "r", "scope": "repository:a/b:pull,push"}
)


def one(line: str) -> list[tuple[str, dict[str, str]]]:
    """The challenges of one line, in a form that reads well."""
    return [(challenge.scheme, dict(challenge.parameters)) for challenge in parse_challenges([line])]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        (" ,\t, ", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="basic-realm"', [("basic", {"realm": "basic-realm"})]),
        ('BEARER REALM="x",Service=y', [("bearer", {"realm": "x", "service": "y"})]),
        ('Bearer realm = "x" ,\tservice\t=\t"y"', [("bearer", {"realm": "x", "service": "y"})]),
        ('Bearer ,, realm="x",,,service="y",', [("bearer", {"realm": "x", "service": "y"})]),
        ('Bearer scope=""', [("bearer", {"scope": ""})]),
        (r'Bearer realm="a\"b\\c\d,e"', [("bearer", {"realm": 'a"b\\cd,e'})]),
        ('Bearer scope="repository:a/b:pull,push"', [("bearer", {"scope": "repository:a/b:pull,push"})]),
        ('Bearer realm="x",realm="evil"', [("bearer", {"realm": "x"})]),
        ('Basic realm="a", Bearer realm="b"', [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        ('Bearer realm="b",service="s",Basic', [("bearer", {"realm": "b", "service": "s"}), ("basic", {})]),
        ('Negotiate, Basic realm="a"', [("negotiate", {}), ("basic", {"realm": "a"})]),
        ('Negotiate YWJj/+-._~==, Basic realm="a"', [("negotiate", {}), ("basic", {"realm": "a"})]),
        ("Negotiate YWJj=", [("negotiate", {})]),
        # RFC 9110 section 11.6.1, its own example
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
            [("basic", {"realm": "simple"}), ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'})],
        ),
        # What is malformed ends the line, and what stood before it counts.
        ('Basic realm="a", Bearer realm="b', [("basic", {"realm": "a"}), ("bearer", {})]),
        ('Bearer realm="b" service="s"', [("bearer", {})]),
        ('="x"', []),
        ('"Bearer" realm="x"', []),
        ("Bearer\u00e9", []),
    ],
)
def test_one_line(line: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """A line gives its challenges, schemes and names in lower case, values unquoted."""
    assert one(line) == expected


def test_distribution() -> None:
    """The challenge of distribution 2.8, with a comma in the scope and the cause at its end."""
    line = (
        'Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push",'
        'error="insufficient_scope"'
    )

    assert one(line) == [("bearer", {**BEARER.parameters, "error": "insufficient_scope"})]


def test_several_lines() -> None:
    """Gitea's two lines are two challenges, in order; a broken line does not hide the next."""
    assert parse_challenges(['Bearer realm="https://git.example/v2/token"', "=;", "Basic"]) == (
        Challenge("bearer", {"realm": "https://git.example/v2/token"}),
        Challenge("basic"),
    )


@pytest.mark.parametrize(
    ("schemes", "expected"),
    [
        ((), None),
        (("negotiate", "digest"), None),
        (("basic",), "basic"),
        (("basic", "bearer"), "bearer"),
        (("negotiate", "bearer", "basic"), "bearer"),
    ],
)
def test_choice(schemes: tuple[str, ...], expected: str | None) -> None:
    """Bearer goes before Basic, and schemes that bulkrm does not speak are passed over."""
    chosen = choose(Challenge(scheme) for scheme in schemes)

    assert (chosen.scheme if chosen else None) == expected


def test_the_first_of_two() -> None:
    """Of several Bearer challenges the first is taken."""
    first, second = Challenge("bearer", {"realm": "1"}), Challenge("bearer", {"realm": "2"})

    assert choose([Challenge("basic"), first, second]) is first


def test_a_long_line_is_cut() -> None:
    """Of a line at most 16 KiB are looked at."""
    assert one('Basic realm="a",' + " " * 17_000 + 'Bearer realm="b"') == [("basic", {"realm": "a"})]
