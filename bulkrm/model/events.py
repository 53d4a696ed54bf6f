"""The events of a run, as values: the listener decides which of them it shows, and in which words.

Events come in the order in which things happen. A listener is called from the event loop of the run and must not block.
A listener that raises stops the run as a bug does: nothing new is begun, and the report is completed.
"""

from collections.abc import Callable
from enum import StrEnum

from bulkrm.model.plan import Plan
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.model.valueclass import valueclass


class Phase(StrEnum):
    """A phase of a run: requests, or images, of one kind, which are counted."""

    LISTING_TAGS = "listing-tags"
    RESOLVING_IMAGES = "resolving-images"
    READING_MANIFESTS = "reading-manifests"  # for conditions, such as `annotations`
    READING_CONFIGURATIONS = "reading-configurations"  # as above
    RESOLVING_ATTACHED = "resolving-attached"  # children and referrers that are deleted with their parents
    READING_INDEXES = "reading-indexes"
    CHECKING_OTHER_TAGS = "checking-other-tags"  # tags of the touched repositories that the list does not name
    CHECKING_NEEDED = "checking-needed"  # manifests that kept indexes need, before anything is deleted (`verify`)
    REMOVING_DANGLING_TAGS = "removing-dangling-tags"  # tags that lead to no manifest
    REMOVING_TAGS = "removing-tags"
    DELETING_MANIFESTS = "deleting-manifests"
    VERIFYING_KEPT = "verifying-kept"
    LOOKING_FOR_MISSING = "looking-for-missing"  # the manifests of kept tags that changed (`verify`)
    VERIFYING_DELETED = "verifying-deleted"
    PUTTING_BACK = "putting-back"


class WarningKind(StrEnum):
    """The subject of a warning."""

    UNUSED_PATTERN = "unused-pattern"  # a protect pattern, or one of damaged tags, matches no tag
    UNUSED_EXCLUSION = "unused-exclusion"
    COVERED_ENTRY = "covered-entry"  # another entry of the list names the same images
    UNGROUPED_TAGS = "ungrouped-tags"  # tags that `group-by` does not match, so that `keep-newest` ignores them
    IN_USE_ELSEWHERE = "in-use-elsewhere"  # no image in use is on a registry of this run
    IN_USE_UNREADABLE = "in-use-unreadable"
    MANIFESTS_STAY = "manifests-stay"  # the host deletes tags, but no manifests
    TAGS_STAY = "tags-stay"  # the host deletes no tags
    NOT_TAGS_FIRST = "not-tags-first"  # the tags of a repository could not be deleted first; manifests go by digest
    CREDENTIALS = "credentials"  # a credential source, or an entry of one, cannot be used
    CONCURRENCY = "concurrency"  # fewer requests at a time than asked for, because of the limit of open files
    MIXED_ANSWERS = "mixed-answers"  # the host sent the answer to another request; connections are not shared any more


class PauseReason(StrEnum):
    """Why requests to a host wait."""

    ASKED = "asked"  # the registry asks to wait: 429, Retry-After, or a quota that is nearly used up
    TROUBLE = "trouble"  # it answers with a server error, or in a way that HTTP does not allow
    UNREACHABLE = "unreachable"


@valueclass
class PhaseBegan:
    """A phase begins, and the one before it is over.

    `total`: how many `Advanced` events follow; fewer where the run is stopped.
    """

    phase: Phase
    total: int


@valueclass
class Advanced:
    """One request or image of the current phase is done."""


@valueclass
class PlanMade:
    """The plan is complete and not yet carried out. An `ImageSettled` came before, or comes next, for what it settles."""

    plan: Plan


@valueclass
class ImageSettled:
    """The outcome of an image, or of a pattern that chose none, is final. Each line of the report has one such event."""

    result: ImageResult


@valueclass
class Warned:
    """A warning that is not about the outcome of one image. `text`: a sentence in English, without a full stop."""

    kind: WarningKind
    text: str


@valueclass
class Paused:
    """Requests to `host` wait for `seconds`: all of them with reason `ASKED`, otherwise those that failed.

    There is one event for all requests that wait, and none for waits below two seconds.
    """

    host: str
    seconds: float
    reason: PauseReason


@valueclass
class RequestAnswered:
    """A request to a registry or token server ended. `result`: the HTTP status, or what went wrong.

    Each retry has an event of its own. `url` is without the parts of its query that may be secret.
    """

    method: str
    url: str
    result: str


@valueclass
class RunBegan:
    """The input was checked, and requests are sent from now on. `run`: the name of the run; dry runs have one too."""

    run: str


@valueclass
class RunEnded:
    """The last event of every run, also of one that was stopped, cancelled or ended by a bug. The report is complete."""

    report: Report


Event = RunBegan | PhaseBegan | Advanced | PlanMade | ImageSettled | Warned | Paused | RequestAnswered | RunEnded
EventListener = Callable[[Event], None]

ADVANCED = Advanced()


def ignore(event: Event) -> None:
    """Do nothing with an event; the default listener."""
