"""Failures: a closed set of codes, each with the reach of its cause and a hint about what to do next."""

from enum import StrEnum

from bulkrm.model.http_status import OK
from bulkrm.model.valueclass import valueclass


class Reach(StrEnum):
    """What the cause of a failure affects: only this image, all of its repository, or all of its registry host."""

    IMAGE = "image"
    REPOSITORY = "repository"
    HOST = "host"


class FailureCode(StrEnum):
    """The error codes of the report. Scripts rely on them: a code is never renamed, only added."""

    BAD_CREDENTIALS = "bad-credentials"
    BLOBS_MISSING = "blobs-missing"
    CERTIFICATE = "certificate"
    CONNECTION_LOST = "connection-lost"
    DELETION_DISABLED = "deletion-disabled"
    DIGEST_MISMATCH = "digest-mismatch"
    NO_CATALOG = "no-catalog"
    NOT_A_MANIFEST = "not-a-manifest"
    NOT_A_REGISTRY = "not-a-registry"
    NOT_PERMITTED = "not-permitted"
    NOT_RECORDED = "not-recorded"
    NOT_SUPPORTED = "not-supported"
    PLUGIN_ERROR = "plugin-error"
    RATE_LIMITED = "rate-limited"
    READ_ONLY = "read-only"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    SERVER_ERROR = "server-error"
    SIBLINGS_REMOVED = "siblings-removed"
    TAGS_REMAIN = "tags-remain"
    TIMEOUT = "timeout"
    TOKEN_SERVER = "token-server"  # noqa: S105 (a code, no secret)
    UNCONFIRMED = "unconfirmed"
    UNEXPECTED_ANSWER = "unexpected-answer"
    UNFINISHED = "unfinished"
    UNREACHABLE = "unreachable"
    UNSAFE_REALM = "unsafe-realm"


# The hint of a failure `unconfirmed`, unless there is a better one for its case.
FIND_OUT = "`bulkrm resume` finds out; or run again: what is gone is then `absent`"
# Failures of the host that may be over soon, and that say nothing about the image.
TROUBLE = frozenset(
    {
        FailureCode.UNREACHABLE,
        FailureCode.TIMEOUT,
        FailureCode.CONNECTION_LOST,
        FailureCode.SERVER_ERROR,
        FailureCode.UNCONFIRMED,
    }
)


@valueclass
class Failure:
    """Why an image failed.

    `message`: one line, free of control characters and secrets. `status`: the HTTP status, None without an answer.
    `hint`: what to do next. `reach`: what the cause affects; other images there fail without a request. `unfinished`:
    only a part was removed, for instance a tag without its manifest, so `resume` has something to do whatever the code is.
    """

    code: FailureCode
    message: str
    status: int | None = None
    hint: str | None = None
    reach: Reach = Reach.IMAGE
    unfinished: bool = False

    @property
    def shows_damage(self) -> bool:
        """Tell whether the registry answered about a tag, neither with a manifest nor with a 404."""
        if self.code is FailureCode.SERVER_ERROR:
            return self.status is not None
        return self.code in (FailureCode.UNEXPECTED_ANSWER, FailureCode.DIGEST_MISMATCH) and self.status == OK


@valueclass
class StillTagged(Failure):
    """The registry deletes a manifest only once it has no tag, and it has one."""


@valueclass
class TagsOnly(Failure):
    """The registry deletes tags, but no manifests."""


@valueclass
class CircuitOpen(Failure):
    """The request was not sent, because too many in a row to its host had failed. No outcome is `Failed` for it.

    `bulkrm.model.result.outcome.outcome_of_failure` has what an image is that met it.
    """

    @property
    def shows_damage(self) -> bool:
        """Tell that it shows no damage: the registry was not asked."""
        return False

    @property
    def as_failure(self) -> Failure:
        """The same cause, for an image that was asked about before."""
        return Failure(self.code, self.message, self.status, self.hint, self.reach)
