"""The names of hosts in a plan, for a connection by which another port is the default.

A name in normal form has no default port, and which port that is depends on `--plain-http`: 443 or 80. So `host:80` in a plan
is the host that is called `host` when the plan is applied with `--plain-http`, also in the user's patterns and credentials.
A name without a port stays as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bulkrm.model.errors import InputError
from bulkrm.model.reference import HTTP_PORT, HTTPS_PORT, parse_host


def default_port_of(plan: Mapping[str, Any]) -> int:
    """Return the default port by which the names of a plan are normal forms. `plan`: its JSON, which satisfies the schema."""
    names = [
        *(repository["repository"] for repository in plan["repositories"]),
        *(at[key] for at, key in _others(plan)),
    ]
    return HTTP_PORT if any(_host(name).endswith(f":{HTTPS_PORT}") for name in names) else HTTPS_PORT


def rename_hosts(plan: dict[str, Any], default_port: int) -> None:
    """Rename the hosts in a plan, so that they are normal forms by another default port."""

    def rename(name: str) -> str:
        host, slash, rest = name.partition("/")
        try:
            return f"{parse_host(host, default_port)}/{rest}" if slash else name
        except InputError:
            return name  # the reader of the plan says what is wrong with it

    for container, key in _places(plan):
        container[key] = rename(container[key])


def _host(name: str) -> str:
    host, slash, _ = name.partition("/")
    return host if slash else ""


def _places(plan: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield where the name of an image, repository or pattern is, as a JSON object or list and its key."""
    for repository in plan["repositories"]:
        yield repository, "repository"
        for manifest in repository["manifests"]:
            for names in (manifest["also_removed"] or [], manifest["leaves"]):
                yield from ((names, number) for number in range(len(names)))
            yield from _images(manifest["images"])
        yield from _images(repository["settled"])
    yield from _others(plan)


def _others(plan: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the places outside the repositories."""
    yield from ((line, "pattern") for line in plan["unmatched"])
    options = plan["options"]
    yield from ((entry, "image") for entry in options.get("conditions", ()) if isinstance(entry.get("image"), str))
    in_use = options.get("in_use", [])
    yield from ((in_use, number) for number in range(len(in_use)))


def _images(images: list[dict[str, Any]]) -> Iterator[tuple[Any, str]]:
    for image in images:
        yield image, "image"
        if image.get("parent") is not None:
            yield image, "parent"
