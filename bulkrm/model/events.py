"""What a run tells while it goes on, as values: whoever listens decides what to show, and in which words.

Events come in the order in which things happen. A listener is called from the event loop of the run and must not block.
One that raises stops the run as a bug does: nothing new is begun, and the report is completed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bulkrm.model.plan import Plan
from bulkrm.model.result.report import ImageResult, Report


class Phase(StrEnum):
    """A stretch of a run in which things of one kind are done, each of which is counted."""

    LISTING_TAGS = "listing-tags"
    RESOLVING_IMAGES = "resolving-images"
    READING_MANIFESTS = "reading-manifests"  # of images about which a condition asks
    READING_CONFIGURATIONS = "reading-configurations"  # as above
    RESOLVING_ATTACHED = "resolving-attached"  # children and referrers that go with their parents
    READING_INDEXES = "reading-indexes"
    CHECKING_OTHER_TAGS = "checking-other-tags"  # tags of the touched repositories that the list does not name
    CHECKING_NEEDED = "checking-needed"  # what kept indexes need, before anything goes (`verify`)
    REMOVING_DANGLING_TAGS = "removing-dangling-tags"  # tags that lead to no manifest
    REMOVING_TAGS = "removing-tags"
    DELETING_MANIFESTS = "deleting-manifests"
    VERIFYING_KEPT = "verifying-kept"
    LOOKING_FOR_MISSING = "looking-for-missing"  # manifests of kept tags that are not as they were
    VERIFYING_DELETED = "verifying-deleted"
    PUTTING_BACK = "putting-back"


class WarningKind(StrEnum):
    """What a warning is about."""

    UNUSED_PATTERN = "unused-pattern"  # a protect pattern, or one of damaged tags, matches no tag
    UNUSED_EXCLUSION = "unused-exclusion"
    COVERED_ENTRY = "covered-entry"  # another entry of the list names the same images
    UNGROUPED_TAGS = "ungrouped-tags"  # tags that fit no group of an entry that ranks
    IN_USE_ELSEWHERE = "in-use-elsewhere"  # nothing that is in use is on a registry of this run
    IN_USE_UNREADABLE = "in-use-unreadable"
    MANIFESTS_STAY = "manifests-stay"  # the host deletes tags, and no manifests
    TAGS_STAY = "tags-stay"  # the host deletes no tags
    NOT_TAGS_FIRST = "not-tags-first"  # the tags of a repository could not go first; its manifests go by digest
    CREDENTIALS = "credentials"  # a source, or an entry of one, did not help as it was meant to
    CONCURRENCY = "concurrency"  # fewer requests at a time than asked for, not to reach the limit of open files
    MIXED_ANSWERS = "mixed-answers"  # the host sent the answer to another request; connections are not shared any more


class PauseReason(StrEnum):
    """Why nothing is sent to a host for a while."""

    ASKED = "asked"  # the registry asks to wait: 429, Retry-After, or a quota that is nearly used up
    TROUBLE = "trouble"  # it answers with a server error, or not as it should
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """A phase begins, and the one before it is over. `total`: so many `Advanced` are to be expected; a stop has fewer."""

    phase: Phase
    total: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """One request or image of the phase that began last is done."""


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The plan is complete and not yet carried out; what it settles has had its `ImageSettled`, or has it now."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class ImageSettled:
    """The outcome of an image, or of a pattern that chose none, is final: each line of the report has exactly one."""

    result: ImageResult


@dataclass(frozen=True, slots=True)
class Warned:
    """The user should know something that is no outcome of an image. `text`: a sentence in English, without a full stop."""

    kind: WarningKind
    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Requests to `host` wait for so many seconds: all of them where it asked for that, else those that it did not answer.

    Told once for all requests that wait, and only of waits of two seconds and more.
    """

    host: str
    seconds: float
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request was sent to a registry or token server, and this came of it: the HTTP status, or what went wrong.

    Retries are told one by one. `url` has lost the parts of its query that may be secret.
    """

    method: str
    url: str
    result: str


@dataclass(frozen=True, slots=True)
class RunBegan:
    """All that was given is known to be good, and requests are sent from now on. `run`: its name, also of a dry run."""

    run: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The last event of a run, also of one that was stopped, cancelled or ended by a bug. The report is complete."""

    report: Report


Event = RunBegan | PhaseBegan | Advanced | PlanMade | ImageSettled | Warned | Paused | RequestAnswered | RunEnded
EventListener = Callable[[Event], None]

ADVANCED = Advanced()


def ignore(event: Event) -> None:
    """Hear an event and do nothing: the listener of whoever has none."""
