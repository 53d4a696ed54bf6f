"""Users and their rights, and the part of a requested scope that a token server grants.

Grants work as in cesanta/docker_auth (auth_server/authz/acl.go): the first matching rule decides, actions are
compared as strings, and only a rule of exactly `*` grants all requested actions.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import Self

from bulkrm.model.scope import Scope
from bulkrm.model.valueclass import valueclass

ANONYMOUS = ""


@valueclass
class AccessRule:
    """Actions on the repositories that a pattern matches; its `*` crosses slashes."""

    repositories: str
    actions: frozenset[str]


FULL_ACCESS = (AccessRule("*", frozenset({"*"})),)


@valueclass
class User:
    """An account. The one named `ANONYMOUS` is for requests without credentials."""

    password: str = field(default="", repr=False)
    acl: tuple[AccessRule, ...] = FULL_ACCESS

    @classmethod
    def allowed(cls, password: str, rights: Mapping[str, Iterable[str]]) -> Self:
        """Return a user with rights: actions by pattern of repositories, for example `{"team/*": ["pull"]}`."""
        return cls(password, tuple(AccessRule(pattern, frozenset(actions)) for pattern, actions in rights.items()))

    def grant(self, wish: Scope) -> Scope:
        """Return the part of a requested scope that the user is granted; its actions may be empty."""
        for rule in self.acl:
            if fnmatchcase(wish.name, rule.repositories):
                actions = wish.actions if rule.actions == {"*"} else wish.actions & rule.actions
                return Scope(wish.type, wish.name, actions)
        return Scope(wish.type, wish.name, frozenset())


Users = Mapping[str, User]


def read_basic(header: str | None) -> tuple[str, str] | None:
    """Return the name and password of an `Authorization: Basic` header; None if it is missing or malformed (RFC 7617)."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


def knows(users: Users, credentials: tuple[str, str] | None) -> bool:
    """Tell whether the credentials are those of a user, with the right password."""
    if credentials is None:
        return False
    name, password = credentials
    found = users.get(name)
    return name != ANONYMOUS and found is not None and found.password == password
