"""Makes bad input out of good: each mistake that it makes is decided by one number, so that it can be made again."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

_MOST = 256 * 1024  # bytes of an input; what has no own cap is read up to a cap of its caller
_WORDS = (
    *(b"{", b"}", b"[", b"]", b'"', b"'", b":", b",", b"\\", b"\n", b"\r\n", b"\t", b"\0", b" ", b"*", b"?", b"**"),
    *(b"&a", b"*a", b"!!python/object", b"<<: ", b"- ", b"%", b"%2e%2e", b"../", b"..", b"//", b"@", b"@sha256:"),
    *(b"\xff", b"\xc3", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x1b]0;x\x07", b"\x1b[2J", b"\x9b"),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"9" * 30, b"9" * 5000, b"1.5", b'"\\ud800"'),
    *(
        b"rel=next",
        b"<>",
        b";",
        b"=",
        b"Bearer ",
        b"https://",
        b"http://[::1",
        b"{a,b}",
        b"{1..99999999}",
        b"[!a-",
        b"(?",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", [], {}, [None], {"": None}),
    *("\x1b[2J", "\ud800", "../../x", "v1/../../../other/manifests/evil", "sha256:" + "0" * 63, "a" * 10_000),
)
_DEEP = (b"[", b'{"a":', b"- ", b"{", b"(", b"{a,", b"[a-", b"a/")


def mutated(seeds: Sequence[bytes], number: int) -> bytes:
    """Return the input of this number: a seed with up to four mistakes in it."""
    random = Random(number)  # noqa: S311 (no secret)
    content = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        content = random.choice(_MISTAKES)(random, content, seeds)
    return content[:_MOST]


def _flip(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, _end = _span(random, content)
    return content[:start] + bytes([random.randrange(256)]) + content[start + 1 :]


def _insert(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, content)
    return content[:start] + random.choice(_WORDS) + content[random.choice((start, end)) :]


def _cut(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, content)
    return content[:start] + content[end:]


def _end(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: _span(random, content)[0]]


def _repeat(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, content)
    return content[:end] + content[start:end] * random.choice((1, 10, 1000, 20_000)) + content[end:]


def _nest(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    start, _end = _span(random, content)
    return content[:start] + random.choice(_DEEP) * random.choice((10, 1000, 100_000)) + content[start:]


def _splice(random: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return content[: _span(random, content)[0]] + other[_span(random, other)[0] :]


def _change_json(random: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Put another value, or another key, into a document or into one line of it."""
    lines = content.splitlines() if content.count(b"\n{") else [content]
    at = random.randrange(len(lines)) if lines else 0
    try:
        document = json.loads(lines[at])
    except (ValueError, IndexError, RecursionError):
        return content
    lines[at] = json.dumps(_changed(random, document)).encode(errors="surrogatepass")
    return b"\n".join(lines) + content[len(content.rstrip()) :]


def _changed(random: Random, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or random.random() < 0.1:
        return random.choice(_VALUES)
    if isinstance(value, list):
        at = random.randrange(len(value))
        return [*value[:at], _changed(random, value[at]), *value[at + random.choice((0, 1)) :]]
    key = random.choice(list(value))
    match random.randrange(4):
        case 0:
            return {name: inner for name, inner in value.items() if name != key}
        case 1:
            return {**value, random.choice(("", "x", key.upper(), "\x1b[2J")): random.choice(_VALUES)}
        case _:
            return {**value, key: _changed(random, value[key])}


def _span(random: Random, content: bytes) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 2, 5, 30, 300)))


Mistake = Callable[[Random, bytes, Sequence[bytes]], bytes]
_MISTAKES: tuple[Mistake, ...] = (
    *(_flip, _insert, _insert, _insert, _cut, _end, _repeat, _nest, _splice),
    *(_change_json, _change_json, _change_json),
)
