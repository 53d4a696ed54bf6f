"""What a plan or a run was made with, as JSON has it: written and read in one place, so that nothing gets lost between."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bulkrm.model.settings import Limit, Policy, Shared, Strategy

_FLAGS = ("fail_fast", "recursive", "allow_decoy", "verify")


def options_of(policy: Policy) -> dict[str, Any]:
    """Return the fields of a policy, as far as a plan is made again with them."""
    return {
        "shared": policy.shared.value,
        "recursive": policy.recursive,
        "allow_decoy": policy.allow_decoy,
        "max_delete": str(policy.max_delete) if policy.max_delete else None,
        "fail_fast": policy.fail_fast,
        "strategy": policy.strategy.value,
        "verify": policy.verify,
    }


def ignoring(patterns: Iterable[str]) -> dict[str, Any]:
    """Return the field of the damaged tags that hold nothing back; without any, plans and runs are what they always were."""
    found = list(patterns)
    return {"ignore_unreadable": found} if found else {}


def ignored_by(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the patterns of `ignoring`, of a plan's or a run's options. Raises ValueError where they are none."""
    found = fields.get("ignore_unreadable", [])
    if not isinstance(found, list) or not all(isinstance(pattern, str) for pattern in found):
        raise ValueError("ignore_unreadable is no list of patterns")
    return tuple(found)


def policy_of(fields: Mapping[str, Any]) -> Policy:
    """Return the policy that these fields are of. Raises ValueError where a value is none, KeyError where one is missing."""
    for flag in _FLAGS:
        if not isinstance(fields[flag], bool):
            raise ValueError(f"{flag!r} is neither true nor false")  # noqa: TRY004 (of what a file says)
    return Policy(
        Shared(fields["shared"]),
        _limit(fields["max_delete"]),
        fail_fast=bool(fields["fail_fast"]),
        recursive=bool(fields["recursive"]),
        allow_decoy=bool(fields["allow_decoy"]),
        verify=bool(fields["verify"]),
        strategy=Strategy(fields["strategy"]),
    )


def _limit(text: object) -> Limit | None:
    """Read a limit. Whatever is no number of anything (NaN, infinity) would be no limit at all."""
    if text is None:
        return None
    limit = Limit.parse(text) if isinstance(text, str) else None
    if limit is None or not 0 <= limit.value < math.inf:
        raise ValueError(f"{str(text)[:40]!r} is no limit")
    return limit
