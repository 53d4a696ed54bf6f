"""What holds for every challenge, every answer and every sequence of answers."""

import json
import time
import unicodedata
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.families.family import traits_of
from bulkrm.model.digest import Digest
from bulkrm.model.errors import ProtocolError, RequestFailed
from bulkrm.model.manifests.manifest import MEDIA_TYPES, Manifest
from bulkrm.model.reference import Repository, is_path, is_tag
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.scope import Scope
from bulkrm.model.settings import Rate
from bulkrm.protocol import interpret as judge
from bulkrm.protocol import message
from bulkrm.protocol.attempt import (
    Accept,
    Attempt,
    Authorization,
    Authorize,
    BasicAuthorization,
    BearerAuthorization,
    GiveUp,
    NoAuthorization,
    Wait,
)
from bulkrm.protocol.auth.challenge import Challenge, parse_challenges
from bulkrm.protocol.auth.realm import Realm, is_inward, refuse_realm
from bulkrm.protocol.auth.token import parse_token
from bulkrm.protocol.decision import MAX_LIMITED, MAX_SENDS, decide
from bulkrm.protocol.explanation import clean
from bulkrm.protocol.interpret import AnswerContext
from bulkrm.protocol.listing import pages
from bulkrm.protocol.listing.link import next_target
from bulkrm.protocol.message import Answer, NoAnswer
from bulkrm.protocol.pacing.pace import MAX_PAUSE, ConcurrencyLimit, RateWindow, http_date, retry_after
from bulkrm.protocol.refusal import refusal
from bulkrm.protocol.traits import STANDARD, Traits
from tests.property import strategies as some
from tests.support.work import work

NOW = 1_800_000_000.0
APP = Repository("registry.example", "team/app")
# aiohttp gives header bytes that are no UTF-8 as lone surrogates.
header_text = st.text(st.characters(exclude_characters="\r\n\0"))
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
bodies = st.binary(max_size=64) | _json.map(lambda value: json.dumps(value).encode())

# Challenges

_token = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=6)
_blanks = st.sampled_from(["", " ", "\t "])
_odd_pieces = st.sampled_from(
    [
        "Bearer",
        "basic",
        "Negotiate",
        " ",
        "  ",
        ",",
        ", ",
        "=",
        '"',
        "\\",
        '\\"',
        "\t",
        "\n",
        "a",
        "realm",
        "YWJj==",
        "/",
    ]
)


@given(st.lists(header_text | st.lists(_odd_pieces, max_size=24).map("".join), max_size=4))
def test_any_text_gives_challenges_or_nothing(lines: list[str]) -> None:
    """Any header is read without an exception, and what is found is in lower case."""
    for challenge in parse_challenges(lines):
        assert challenge.scheme
        assert challenge.scheme == challenge.scheme.lower()
        assert all(name and name == name.lower() for name in challenge.parameters)


@st.composite
def _printed(draw: st.DrawFn, challenge: Challenge) -> str:
    """Write a challenge in one of the ways that the grammar allows."""
    parts = []
    for name, value in challenge.parameters.items():
        bare = draw(st.booleans()) and value and all(c in "abcXYZ019!#$%&'*+-.^_`|~" for c in value)
        escaped = "".join(f"\\{c}" if c in '"\\' or draw(st.integers(0, 9)) == 0 else c for c in value)
        shown = value if bare else f'"{escaped}"'
        parts.append(f"{name.upper() if draw(st.booleans()) else name}{draw(_blanks)}={draw(_blanks)}{shown}")
    return f"{challenge.scheme.title()} " + f"{draw(_blanks)},{draw(_blanks)}".join(parts)


_values = st.text(st.characters(exclude_characters="\r\n\0"), max_size=12)
_challenges = st.builds(
    Challenge,
    st.sampled_from(["bearer", "basic", "negotiate"]),
    st.dictionaries(_token.map(str.lower), _values, min_size=1, max_size=4),
)


@given(st.lists(_challenges, min_size=1, max_size=3), st.data())
def test_a_printed_challenge_reads_as_itself(challenges: list[Challenge], data: st.DataObject) -> None:
    """Challenges written in any way the grammar allows are read as they are, in one line or in several."""
    printed = [data.draw(_printed(challenge)) for challenge in challenges]

    assert parse_challenges(printed) == tuple(challenges)
    assert parse_challenges([", ".join(printed)]) == tuple(challenges)


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        ",",
        '"',
        "\\",
        "=",
        "a",
        "a ",
        "a=",
        "a,",
        'a="',
        'a="\\',
        "a a=",
        "a =",
        'a=" ',
        " ,",
        "a = b ",
        "\t=",
        "a/",
        'Bearer \\"',
    ],
)
@pytest.mark.parametrize("start", ["", "Bearer ", 'Bearer realm="', "Bearer a=b,"])
def test_long_lines_are_read_fast(start: str, piece: str) -> None:
    """No line of 16 KiB makes the parser work more than in proportion to its length."""
    line = (start + piece * 16_384)[:16_384]
    begin = time.process_time()

    parse_challenges([line])

    assert time.process_time() - begin < 125 * work()


# decide

_statuses = st.sampled_from([200, 202, 204, 301, 400, 401, 403, 404, 405, 408, 409, 429, 500, 502, 503, 504])
_retry_after = st.sampled_from(["0", "1", "59", "600", "601", "100000", "junk", "-1"]) | st.floats(-100, 1000).map(
    lambda seconds: http_date(NOW + seconds)
)
_wanted = st.sampled_from(
    ["", "repository:team/app:delete", "repository:team/app:push,pull", "repository:other:pull", "x"]
)
_scheme = st.sampled_from(["Bearer", "Basic", "Negotiate"])
_errors = st.sampled_from(["", "invalid_token", "insufficient_scope", "other"])


@st.composite
def _answers(draw: st.DrawFn) -> Answer | NoAnswer:
    """An answer of a registry that may be of any mind."""
    kinds = [
        message.LOST,
        message.TIMEOUT,
        message.UNREACHABLE,
        message.CERTIFICATE,
        message.NOT_TLS,
        message.TOO_LARGE,
    ]
    if draw(st.integers(0, 4)) == 0:
        return NoAnswer(draw(st.sampled_from(kinds)), "why")
    headers: CIMultiDict[str] = CIMultiDict()
    if draw(st.booleans()):
        headers.add("Retry-After", draw(_retry_after))
    for _ in range(draw(st.integers(0, 2))):
        text = f'{draw(_scheme)} realm="/token",scope="{draw(_wanted)}",error="{draw(_errors)}"'
        headers.add("WWW-Authenticate", text)
    return Answer(draw(_statuses), CIMultiDictProxy(headers), draw(bodies), NOW)


# The worst registry: after whatever it answered before, it goes on with one answer for ever.
_endless = _answers().map(lambda answer: [answer] * 200)
_authorizations = st.sampled_from(
    [
        NoAuthorization(),
        BasicAuthorization(),
        BearerAuthorization(None),
        BearerAuthorization(Scope.repository("team/app", "pull")),
    ]
)
_traits = st.sampled_from([STANDARD, Traits(actions=None), traits_of("docker.io")])


def _authorized(decision: Authorize) -> Attempt:
    basic = decision.challenge is not None and decision.challenge.scheme == "basic"
    authorization: Authorization = BasicAuthorization() if basic else BearerAuthorization(decision.scope)
    return replace(decision.attempt, authorization=authorization)


@given(_authorizations, _traits, st.lists(_answers(), max_size=12), _endless)
def test_every_sequence_of_answers_ends(
    authorization: Authorization, traits: Traits, first: list[Answer | NoAnswer], then: list[Answer | NoAnswer]
) -> None:
    """Whatever comes back, it ends: few faults, ten minutes of asked waiting, one renewal, one extension."""
    attempt = Attempt(message.delete_manifest(APP, Digest.of(b"")), APP.host, authorization)
    renewals = extensions = sends = 0
    asked_wait = 0.0
    for answer in first + then:
        sends += 1
        decision = decide(attempt, answer, traits)
        match decision:
            case Accept() | GiveUp():
                break
            case Authorize():
                renewals += decision.renew
                extensions += decision.attempt.extended and not attempt.extended
                attempt = _authorized(decision)
            case Wait(seconds, spread, whole_host, attempt):
                assert seconds >= 0
                assert 0 <= spread <= max(15.0, seconds / 10)
                asked_wait += seconds if whole_host else 0
                _honoured(answer, seconds, whole_host=whole_host)
    else:
        pytest.fail(f"no end after {sends} answers")

    assert renewals <= 1
    assert extensions <= 1
    assert asked_wait <= MAX_PAUSE
    assert sends <= MAX_SENDS + MAX_LIMITED + 3


def _honoured(answer: Answer | NoAnswer, seconds: float, *, whole_host: bool) -> None:
    """A pause is never shorter than what the host asked for; a 429 holds everybody."""
    if isinstance(answer, Answer):
        asked = retry_after(answer.headers.get("Retry-After"), answer.wall, answer.headers.get("Date"))
        assert asked is None or seconds >= asked
        assert whole_host or answer.status != 429


# Time


@given(header_text | st.text("0123456789 -+.,:GMTonJa"), st.floats(0, 4e9), st.none() | header_text)
def test_any_retry_after(value: str, wall: float, date: str | None) -> None:
    """Any value is seconds from nothing on, or nothing."""
    seconds = retry_after(value, wall, date)

    assert seconds is None or 0 <= seconds < 1e12


@given(st.floats(0, 4e9), st.floats(-1e6, 1e6))
def test_a_date_is_the_seconds_to_it(wall: float, ahead: float) -> None:
    """A date asks for the seconds until then, to the second, and the past for none."""
    seconds = retry_after(http_date(max(0.0, wall + ahead)), wall)

    assert seconds is not None
    assert abs(seconds - max(0.0, max(0.0, wall + ahead) - wall)) <= 1.001


@given(st.integers(1, 20), st.floats(0.1, 100), st.lists(st.floats(0, 50), max_size=100))
def test_no_window_has_more_grants_than_allowed(requests: int, seconds: float, gaps: list[float]) -> None:
    """Who waits for `delay` before each grant never has more than N of them in any such time."""
    window, now = RateWindow(Rate(requests, seconds)), 0.0
    grants: list[float] = []
    for gap in gaps:
        now += gap
        now += window.delay(now)
        window.grant(now)
        grants.append(now)

    for first, after in zip(grants, grants[requests:], strict=False):
        assert after - first >= seconds * (1 - 1e-9)


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=200))
def test_concurrency_stays_between_one_and_its_cap(cap: int, successes: list[bool]) -> None:
    """Whatever happens, at least one request may go and never more than the cap."""
    concurrency = ConcurrencyLimit(cap)
    for success in successes:
        before = concurrency.allowed
        if success:
            concurrency.answered(0.0)
        else:
            concurrency.refused(0.0)

        assert 1 <= concurrency.allowed <= cap
        assert concurrency.allowed >= before if success else concurrency.allowed <= max(1, before)


# Realms


@given(header_text | some.almost(st.just("https://auth.example:8443/token?a=b#c")), header_text | st.none())
def test_any_realm_is_a_plain_url_or_an_error(text: str, service: str | None) -> None:
    """Any realm is an http(s) URL of printable ASCII without credentials, or a ProtocolError."""
    with suppress(ProtocolError):
        realm = Realm.parse(text, "https://registry.example/v2/")
        url = realm.with_query(service, "repository:a:pull")

        assert realm.parts.scheme in ("http", "https")
        assert realm.parts.hostname
        assert "@" not in realm.host
        assert url.isascii()
        assert url.isprintable()
        assert " " not in url
        assert url.endswith("client_id=bulkrm")


@given(st.ip_addresses())
def test_no_private_realm_for_a_public_registry(address: object) -> None:
    """An address that leads inward is refused for a public registry, in every form."""
    host = f"[{address}]" if ":" in str(address) else str(address)
    why = refuse_realm(Realm(f"https://{host}/token"), registry_scheme="https", registry_inward=False, plain_http=False)

    assert (why is not None) == is_inward(host)


@given(st.ip_addresses(v=4))
def test_an_address_in_disguise(address: object) -> None:
    """An IPv4 address leads inward or not, also as an IPv4-mapped or NAT64 one."""
    assert is_inward(f"::ffff:{address}") == is_inward(str(address)) == is_inward(f"64:ff9b::{address}")


# Answers


def _answer(status: int, body: bytes, headers: list[tuple[str, str]]) -> Answer:
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers)), body, NOW)


_header_names = st.sampled_from(["Content-Type", "Docker-Content-Digest", "Link", "Content-Length", "X"])
_links = st.builds(
    '<{}>; rel="next"'.format, header_text | st.sampled_from(["https://[x", "//[::1/x", "?\u00e9", "//x:y/"])
)
_header_values = header_text | st.sampled_from(MEDIA_TYPES) | some.digests | _links
answers = st.builds(_answer, _statuses, bodies, st.lists(st.tuples(_header_names, _header_values), max_size=4))


@given(answers, st.none() | some.digests)
def test_any_answer_is_a_true_manifest_or_a_failure(answer: Answer, asked: Digest | None) -> None:
    """A manifest has the digest that was asked for, and all else is none or RequestFailed."""
    context = AnswerContext("r", message.get_manifest(APP, "1.0"), STANDARD)
    with suppress(RequestFailed):
        found = judge.manifest(context, answer, asked)

        assert found is None or isinstance(found, Manifest)
        assert found is None or asked is None or found.digest == asked
        assert found is not None or answer.status == 404
    judge.head(answer)


_tag_lists = st.lists(some.tags | st.none() | _json, max_size=6).map(lambda tags: json.dumps({"tags": tags}).encode())
_named_lists = st.fixed_dictionaries({"name": some.paths | st.text(), "tags": st.lists(some.tags, max_size=3)}).map(
    lambda body: json.dumps(body).encode()
)
_link_headers = st.lists(st.tuples(st.just("Link"), _links | header_text))


@given(st.builds(_answer, st.just(200), _tag_lists | _named_lists | bodies, _link_headers))
@example(_answer(200, b'{"tags": []}', [("Link", '<https://[x>; rel="next"')]))
def test_any_page_is_clean_or_a_failure(answer: Answer) -> None:
    """A page has valid names only and goes on in the same listing, or it is a failure."""
    context = AnswerContext("r", message.list_tags(APP), STANDARD)
    with suppress(RequestFailed):
        page = pages.tag_page(context, answer)

        assert page is not None
        assert all(is_tag(name) for name in page.names)
        assert page.next is None or page.next.startswith(f"/v2/{APP.path}/tags/list?")
    with suppress(RequestFailed):
        catalog = pages.repository_page(AnswerContext("r", message.list_repositories(), STANDARD), answer)

        assert catalog is not None
        assert all(is_path(name) for name in catalog.names)


_link_pieces = (
    st.text("<>;,\"'= ", max_size=2)
    | st.sampled_from(("rel", "next", "REL=next", 'rel="next"', "title", "/v2/", "team/app", "/tags/list", "?last=a"))
    | st.sampled_from(("?", "//evil.example", "https://x", "../", "%2e%2e/", "other/app", "v2/team/app", "#x"))
)
_link_lines = st.lists(_link_pieces | st.text(max_size=3), max_size=12).map("".join) | header_text


@given(st.lists(_link_lines, max_size=3))
@example(['<https://evil.example/v2/team/app/tags/list?a=b>; rel="next"'])
def test_any_link_header(lines: list[str]) -> None:
    """A Link header leads to our own listing with another query, to nothing, or is an error: never elsewhere."""
    with suppress(ProtocolError):
        target = next_target(lines, "/v2/team/app/tags/list?n=1000")

        if target is not None:
            path, mark, query = target.partition("?")
            assert (path, mark) == ("/v2/team/app/tags/list", "?")
            assert query.isascii()
            assert query.isprintable()
            assert not {" ", "#", '"', "<", ">"} & set(query)
            assert "next" in "".join(lines).lower()


@given(some.paths, some.paths, some.tags)
def test_a_link_to_another_repository(ours: str, theirs: str, last: str) -> None:
    """A Link is followed for our own list only, or where one of the two names is the end of the other."""
    line, asked = f'</v2/{theirs}/tags/list?last={last}>; rel="next"', f"/v2/{ours}/tags/list?n=1000"
    if f"/{ours}".endswith(f"/{theirs}") or f"/{theirs}".endswith(f"/{ours}"):
        assert next_target([line], asked) == f"/v2/{ours}/tags/list?last={last}"
    else:
        with pytest.raises(ProtocolError):
            next_target([line], asked)


@given(answers, st.sampled_from(["registry.example", "docker.io", "ghcr.io"]))
def test_any_refusal_is_fit_to_be_shown(answer: Answer, host: str) -> None:
    """Every refusal has a code, a hint, and a message of one line for a terminal."""
    failure = refusal(answer, host, message.delete_manifest(APP, Digest.of(b"")), traits_of(host))

    assert isinstance(failure.code, FailureCode)
    assert failure.hint
    assert len(failure.message) < 400
    assert failure.message == clean(failure.message, 400)


@given(st.text(), st.integers(1, 400))
def test_clean_text(text: str, limit: int) -> None:
    """Cleaned text is one line within its limit, without control and format characters, and stays as it is."""
    line = clean(text, limit)

    assert len(line) <= limit
    assert {unicodedata.category(character) for character in line}.isdisjoint({"Cc", "Cf", "Zl", "Zp", "Cs"})
    assert clean(line, limit) == line


_token_bodies = st.fixed_dictionaries(
    {}, optional={name: _json | st.text("abc.-_") for name in ("token", "access_token", "expires_in", "issued_at")}
).map(lambda value: json.dumps(value).encode())


@given(_token_bodies | bodies)
def test_any_body_is_a_token_or_an_error(body: bytes) -> None:
    """A token can stand in a header and lives for some time, and all else is a ProtocolError."""
    with suppress(ProtocolError):
        token = parse_token(Answer(200, body=body, wall=NOW))

        assert token.secret
        assert token.secret.reveal().isascii()
        assert token.secret.reveal().split() == [token.secret.reveal()]
        assert token.life > 0
        assert 0 < token.margin <= 5
