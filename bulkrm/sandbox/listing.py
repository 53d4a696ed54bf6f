"""The lists: tags of a repository, and the catalog of repositories."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from bulkrm.sandbox.settings import SandboxSettings
from bulkrm.sandbox.store import Store
from bulkrm.sandbox.wire import Answer, Asked, Refused, json_answer, method_not_allowed

# distribution v2.8.2 registry/handlers/catalog.go, maximumReturnedEntries
_MAX_CATALOG = 1000
_DEFAULT_CATALOG = 100


def answer_tags(store: Store, settings: SandboxSettings, repository: str, asked: Asked) -> Answer:
    """Answer `/v2/<repository>/tags/list`. 2.8.2 ignores `n` and `last` and sorts nothing. Raises Refused."""
    if asked.method != "GET":
        return method_not_allowed("GET")
    tags = store.tags(repository)
    if tags is None:
        raise Refused("NAME_UNKNOWN", {"name": repository})
    headers: Mapping[str, str] = {}
    if settings.page_size is not None:
        wanted = _number(asked.parameter("n"))
        size = min(wanted, settings.page_size) if wanted else settings.page_size
        origin = f"{asked.scheme}://{asked.headers.get('host', '')}" if settings.absolute_links else ""
        tags, more = _page(sorted(tags), asked.parameter("last"), size)
        headers = _link(origin + asked.path, tags, size) if more else {}
    return json_answer(HTTPStatus.OK, {"name": repository, "tags": tags or None}, headers)


def answer_catalog(store: Store, asked: Asked) -> Answer:
    """Answer `/v2/_catalog`. Raises Refused."""
    if asked.method != "GET":
        return method_not_allowed("GET")
    size = _number(asked.parameter("n")) or _DEFAULT_CATALOG
    if size > _MAX_CATALOG:
        raise Refused("PAGINATION_NUMBER_INVALID", {"n": size})
    names, more = _page(store.repositories(), asked.parameter("last"), size)
    return json_answer(HTTPStatus.OK, {"repositories": names}, _link(asked.path, names, size) if more else {})


def _page(names: Sequence[str], last: str | None, size: int) -> tuple[list[str], bool]:
    start = bisect_right(names, last) if last else 0
    page = list(names[start : start + size])
    # A full page has a link even if it is the last one, as in 2.8.2's catalog.
    return page, len(page) == size


def _link(path: str, page: Sequence[str], size: int) -> Mapping[str, str]:
    return {"Link": f'<{path}?{urlencode({"last": page[-1], "n": size})}>; rel="next"'}


def _number(text: str | None) -> int:
    """Return a positive number, or 0 for anything else: 2.8.2 ignores it."""
    return int(text) if text and text.isdecimal() else 0
