"""The outcome of an image: one of a closed set. Every image has exactly one, however the run ends."""

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import ClassVar

from bulkrm.model.result.effect import Effect
from bulkrm.model.result.failure import CircuitOpen, Failure
from bulkrm.model.valueclass import valueclass


class Status(StrEnum):
    """The statuses of the report."""

    DELETED = "deleted"
    UNTAGGED = "untagged"
    WOULD_DELETE = "would-delete"
    WOULD_UNTAG = "would-untag"
    RESTORED = "restored"
    WOULD_RESTORE = "would-restore"
    UNCHANGED = "unchanged"
    ABSENT = "absent"
    KEPT = "kept"
    FAILED = "failed"
    NOT_ATTEMPTED = "not-attempted"
    NO_MATCH = "no-match"


class KeptReason(StrEnum):
    """Why an image that the list names is kept."""

    PROTECTED = "protected"
    NEEDED = "needed"
    SHARED = "shared"
    MOVED = "moved"
    UNREADABLE = "unreadable"
    LIMIT = "limit"
    UNDONE = "undone"
    IN_USE = "in-use"
    NEWEST = "newest"
    NO_DATE = "no-date"
    NO_VERSION = "no-version"
    TOO_YOUNG = "too-young"
    FLOOR = "floor"

    @property
    def is_safety_rule(self) -> bool:
        """Tell whether it is a safety rule (exit code 3), and not a rule of the user's own (exit code 0)."""
        return self not in (KeptReason.PROTECTED, KeptReason.UNDONE) and not self.is_condition

    @property
    def is_condition(self) -> bool:
        """Tell whether the reason is a condition of the list, which may keep thousands of images."""
        return self in _CONDITIONS


_CONDITIONS = frozenset(
    {
        KeptReason.IN_USE,
        KeptReason.NEWEST,
        KeptReason.NO_DATE,
        KeptReason.NO_VERSION,
        KeptReason.TOO_YOUNG,
        KeptReason.FLOOR,
    }
)
# The first that applies is reported. MOVED is not here: pins are compared before any guard is asked.
PRECEDENCE = (
    KeptReason.UNREADABLE,
    KeptReason.PROTECTED,
    KeptReason.IN_USE,
    KeptReason.NEWEST,
    KeptReason.NEEDED,
    KeptReason.SHARED,
    KeptReason.NO_DATE,
    KeptReason.NO_VERSION,
    KeptReason.TOO_YOUNG,
    KeptReason.FLOOR,
    KeptReason.LIMIT,
)


class NotAttemptedReason(StrEnum):
    """Why no request was sent to delete an image."""

    INTERRUPTED = "interrupted"
    FAIL_FAST = "fail-fast"
    DECLINED = "declined"
    CIRCUIT_OPEN = "circuit-open"
    INTERNAL_ERROR = "internal-error"


@valueclass
class Deleted:
    """The registry confirmed the deletion.

    `also_removed`: the tags outside the list that went with the digest, in full form; None where they were not read.
    `for_good`: it was a tag without a manifest, so there is nothing in the archive by which `undo` could restore it.
    """

    also_removed: tuple[str, ...] | None = ()
    for_good: bool = False
    status: ClassVar[Status] = Status.DELETED


@valueclass
class WouldDelete:
    """A dry run: the real one would delete this."""

    also_removed: tuple[str, ...] | None = ()
    for_good: bool = False
    status: ClassVar[Status] = Status.WOULD_DELETE


@valueclass
class Untagged:
    """The registry confirmed that the tag is gone. `remaining_tags`: the tags that its manifest keeps, in full form."""

    remaining_tags: tuple[str, ...] = ()
    status: ClassVar[Status] = Status.UNTAGGED


@valueclass
class WouldUntag:
    """A dry run: the real one would remove this tag and nothing else."""

    remaining_tags: tuple[str, ...] = ()
    status: ClassVar[Status] = Status.WOULD_UNTAG


@valueclass
class Restored:
    """Undo pushed the tag or manifest again, and read it back."""

    status: ClassVar[Status] = Status.RESTORED


@valueclass
class WouldRestore:
    """A dry run: the real undo would push this again."""

    status: ClassVar[Status] = Status.WOULD_RESTORE


@valueclass
class Unchanged:
    """Undo found the tag or manifest as it was before the run, and pushed nothing."""

    status: ClassVar[Status] = Status.UNCHANGED


@valueclass
class Gone:
    """The image was absent, which is a success. `no_repository`: its repository too, perhaps because of a typing error."""

    no_repository: bool = False
    status: ClassVar[Status] = Status.ABSENT


@valueclass
class Kept:
    """A rule kept the image. `because` names the tags, the pattern, the digest or the failure that made the rule apply.

    `hint`: what to do next about this image; None: the general hint of the reason.
    """

    reason: KeptReason
    because: tuple[str, ...] = ()
    hint: str | None = field(default=None, compare=False)
    status: ClassVar[Status] = Status.KEPT


@valueclass
class Failed:
    """The image could not be deleted, or it is not known whether it is deleted."""

    failure: Failure
    status: ClassVar[Status] = Status.FAILED


@valueclass
class NotAttempted:
    """No request was sent to delete the image."""

    reason: NotAttemptedReason
    status: ClassVar[Status] = Status.NOT_ATTEMPTED


@valueclass
class NoMatch:
    """A pattern that chose nothing."""

    status: ClassVar[Status] = Status.NO_MATCH


Outcome = (
    Deleted
    | WouldDelete
    | Untagged
    | WouldUntag
    | Restored
    | WouldRestore
    | Unchanged
    | Gone
    | Kept
    | Failed
    | NotAttempted
    | NoMatch
)


def outcome_of_failure(failure: Failure, effect: Effect = Effect.NONE) -> Failed | NotAttempted:
    """Return the outcome of an image that met a failure; `effect`: what was sent for it may have done by then.

    =================  ============================================  ============================================
    the failure        effect `NONE`                                 effect `OVER` or `OPEN`
    =================  ============================================  ============================================
    `CircuitOpen`      `NotAttempted`: nothing was sent about it     `Failed`, by the trouble that the host is in
    any other          `Failed`                                      `Failed`
    =================  ============================================  ============================================
    """
    if not isinstance(failure, CircuitOpen):
        return Failed(failure)
    return Failed(failure.as_failure) if effect.may_have_acted else NotAttempted(NotAttemptedReason.CIRCUIT_OPEN)


class Signal(StrEnum):
    """The signal that stopped a run."""

    INTERRUPT = "interrupt"
    TERMINATE = "terminate"
    HANG_UP = "hang-up"


# 128 and the number of the signal, as shells have it.
_SIGNAL_CODES = {Signal.INTERRUPT: 130, Signal.TERMINATE: 143, Signal.HANG_UP: 129}


def exit_code(outcomes: Iterable[Outcome], signal: Signal | None = None) -> int:
    """Return the exit code: the first that applies of 130/143/129, 1, 3, 0 (2, bad usage, is decided before a run)."""
    if signal is not None:
        return _SIGNAL_CODES[signal]
    code = 0
    for outcome in outcomes:
        if isinstance(outcome, Failed | NotAttempted):
            return 1
        if isinstance(outcome, Kept) and outcome.reason.is_safety_rule:
            code = 3
    return code
