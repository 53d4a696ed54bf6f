"""How each parser gets its bytes: as the text of a header, the body of an answer, or a file."""

import gzip
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from multidict import CIMultiDict, CIMultiDictProxy

from bulkrm.cli.runs.details import details
from bulkrm.cli.runs.listing import FORMATS, list_text
from bulkrm.cli.runs.summary import summaries
from bulkrm.model.digest import Digest
from bulkrm.model.manifests import manifest as manifests
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST
from bulkrm.model.reference import Repository, parse_host, parse_reference, parse_repository
from bulkrm.protocol import interpret as judge
from bulkrm.protocol import message
from bulkrm.protocol.auth.challenge import choose, parse_challenges
from bulkrm.protocol.auth.realm import Realm
from bulkrm.protocol.auth.token import parse_token
from bulkrm.protocol.explanation import missing_blobs
from bulkrm.protocol.interpret import AnswerContext
from bulkrm.protocol.listing import pages
from bulkrm.protocol.message import Answer
from bulkrm.protocol.pacing.pace import retry_after as seconds_of
from bulkrm.protocol.refusal import refusal
from bulkrm.protocol.traits import STANDARD
from bulkrm.remote.credentials import read_docker_config
from bulkrm.remote.credentials.helper import ask_helper
from bulkrm.reports.format import View
from bulkrm.selection.patterns.pattern import ExcludePattern, ProtectPattern, RepositoryPattern, TagPattern
from bulkrm.state.archive import read_archive
from bulkrm.state.journal.file import read_journal
from bulkrm.state.journal.history import read_history
from bulkrm.state.journal.losses import losses
from bulkrm.state.known import known_runs

_APP = Repository("registry.example", "team/app")
_BASE = "https://registry.example"
_TYPES = (OCI_INDEX, OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v1+prettyjws", "application/json", "")
_NAMES = ("a" * 128, "pr-1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "sha256-" + "0f" * 32)
_SEEDS = Path(__file__).parent / "seeds"


def text(content: bytes) -> str:
    """As Python has what the command line, or a header, says: bytes that are no UTF-8 are lone surrogates."""
    return content.decode(errors="surrogateescape")


def reference(content: bytes, _: Path) -> object:
    return str(parse_reference(text(content), default_host="registry.example"))


def repository(content: bytes, _: Path) -> object:
    return str(parse_repository(text(content), "registry.example"))


def host(content: bytes, _: Path) -> object:
    return parse_host(text(content))


def tag_pattern(content: bytes, _: Path) -> object:
    pattern, exclude = TagPattern(text(content)), ExcludePattern(text(content))
    return [(pattern.matches(name), exclude.matches(name)) for name in _NAMES]


def repository_pattern(content: bytes, _: Path) -> object:
    pattern = RepositoryPattern("registry.example", text(content))
    return [pattern.matches(f"team/{name}/x") for name in _NAMES]


def protect_pattern(content: bytes, _: Path) -> object:
    pattern = ProtectPattern.parse(text(content))
    return [(pattern.protects(_APP, name), pattern.holds_in(_APP)) for name in _NAMES]


def challenges(content: bytes, _: Path) -> object:
    return choose(parse_challenges(_header(content).split("\n")))


def realm(content: bytes, _: Path) -> object:
    return Realm.parse(_header(content), f"{_BASE}/v2/").parts


def retry_after(content: bytes, _: Path) -> object:
    seconds = seconds_of(_header(content), 1_800_000_000.0, "Fri, 31 Dec 2027 23:59:59 GMT")
    assert seconds is None or seconds >= 0
    return seconds


def token(content: bytes, _: Path) -> object:
    return parse_token(_answer(content))


def error_body(content: bytes, _: Path) -> object:
    answers = [_answer(content, status) for status in (400, 401, 403, 404, 405, 409, 429, 500)]
    return [(missing_blobs(answer), refusal(answer, _APP.host, _deletion(), STANDARD)) for answer in answers]


def tag_page(content: bytes, _: Path) -> object:
    return pages.tag_page(_context(message.list_tags(_APP)), _answer(content))


def catalog_page(content: bytes, _: Path) -> object:
    return pages.repository_page(_context(message.list_repositories()), _answer(content))


def link(content: bytes, _: Path) -> object:
    page = pages.tag_page(
        _context(message.list_tags(_APP)), _answer(b'{"tags":["a"]}', headers={"Link": _header(content)})
    )
    assert page is None or page.next is None or page.next.startswith("/")
    return page


def manifest(content: bytes, _: Path) -> object:
    facts = [
        (manifests.children(name, content), manifests.blobs(name, content), manifests.is_readable(name, content))
        for name in _TYPES
    ]
    answer = _answer(content, headers={"Content-Type": OCI_INDEX, "Docker-Content-Digest": str(Digest.of(content))})
    return facts, manifests.subject(content), judge.manifest(_context(message.get_manifest(_APP, "a")), answer, None)


def referrers(content: bytes, _: Path) -> object:
    request = message.list_referrers(_APP, Digest.of(b""))
    return pages.referrers_page(_context(request), _answer(content, headers={"Content-Type": OCI_INDEX}))


def head(content: bytes, _: Path) -> object:
    lines = [line.partition(":") for line in _header(content).split("\n")]
    return judge.head(_answer(b"", headers={"Content-Type": OCI_INDEX, **{name: value for name, _, value in lines}}))


def journal(content: bytes, folder: Path) -> object:
    (folder / "journal.jsonl").write_bytes(content)
    return list(read_journal(folder / "journal.jsonl")), read_history(folder)


def archive(content: bytes, folder: Path) -> object:
    return torn_archive(gzip.compress(content), folder)


def torn_archive(content: bytes, folder: Path) -> object:
    path = folder / "manifests.jsonl.gz"
    path.write_bytes(content)
    return list(read_archive(path))


def losses_of(content: bytes, folder: Path) -> object:
    """Of a journal that was edited, with the archive that belongs to it."""
    (folder / "journal.jsonl").write_bytes(content)
    archive = folder / "manifests.jsonl.gz"
    if not archive.exists():
        archive.write_bytes(gzip.compress((_SEEDS / "manifests.jsonl").read_bytes()))
    return losses(folder)


def run(content: bytes, folder: Path) -> object:
    path = folder / "runs" / "20260131T100000Z-abcdef"
    path.mkdir(parents=True, exist_ok=True)
    (path / "run.json").write_bytes(content)
    if not (path / "journal.jsonl").exists():
        shutil.copy(_SEEDS / "journal.jsonl", path / "journal.jsonl")
    found = known_runs(folder)
    texts = [list(list_text(summaries(folder), output, datetime.now(UTC), View(80))) for output in FORMATS]
    return texts, list(details(found[0], datetime.now(UTC), View(80)))


def docker_config(content: bytes, folder: Path) -> object:
    (folder / "config.json").write_bytes(content)
    return read_docker_config(folder / "config.json")


def helper(content: bytes, folder: Path) -> object:
    program = folder / "docker-credential-fuzz"
    if not program.exists():
        program.write_text('#!/bin/sh\ncat "$0.answer"\n')
        program.chmod(0o700)
    (folder / "docker-credential-fuzz.answer").write_bytes(content)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    try:
        return ask_helper("fuzz", "registry.example")
    finally:
        os.environ["PATH"] = before


def _header(content: bytes) -> str:
    """As aiohttp has the bytes of a header."""
    return content.decode(errors="surrogateescape")


def _answer(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, CIMultiDictProxy(CIMultiDict(headers or {})), content, 1_800_000_000.0)


def _context(request: message.Request) -> AnswerContext:
    return AnswerContext(_APP.host, request, STANDARD)


def _deletion() -> message.Request:
    return message.delete_manifest(_APP, str(Digest.of(b"")))
