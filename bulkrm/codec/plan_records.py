"""The fields of a saved plan (version 1), in their fixed order, each with its kind and its meaning.

Writing, reading and the JSON Schema all follow from these records.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from bulkrm.codec.kinds import (
    DIGEST,
    NUMBER,
    TAGS,
    TEXT,
    TEXTS,
    described,
    one_of,
    optional,
    record_of,
    tuple_of,
    word_of,
)
from bulkrm.codec.plan_document import FORMAT, VERSION
from bulkrm.codec.policy_fields import PlanOptions
from bulkrm.codec.record import OMIT_EMPTY, Kind
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import MEDIA_TYPES
from bulkrm.model.plan import Order, UntagMethod
from bulkrm.model.result.failure import FailureCode, Reach
from bulkrm.model.result.outcome import KeptReason, NotAttemptedReason
from bulkrm.model.valueclass import valueclass

NO_REPOSITORY = "no-repository"
_REASON = "Why it is kept or absent."
_HTTP_STATUS = Kind({"type": "integer"}, NUMBER.read)
_BECAUSE = "What the reason rests on: tags, an index, a pattern."


@valueclass
class ErrorRecord:
    """Why something failed."""

    code: Annotated[FailureCode, one_of(FailureCode)]
    message: Annotated[str, TEXT]
    status: Annotated[int | None, optional(_HTTP_STATUS), "The HTTP status, if there was an answer."]
    hint: Annotated[str | None, optional(TEXT)]
    reach: Annotated[Reach, one_of(Reach)]


_ERROR = optional(record_of(ErrorRecord, "Why it failed."))


@valueclass
class TargetRecord:
    """One image."""

    image: Annotated[str, TEXT, "The reference, in full normal form."]
    source: Annotated[str | None, optional(TEXT), "Where the list names it."]
    note: Annotated[str | None, optional(TEXT), "The note of its entry in the list."]
    parent: Annotated[str | None, optional(TEXT), "The manifest that it is deleted with, if the list does not name it."]
    bound: Annotated[
        tuple[int, ...],
        tuple_of(NUMBER),
        OMIT_EMPTY,
        "The numbers, from 0, of the `conditions` that name it; empty if an entry without conditions names it too.",
    ] = ()


@valueclass
class ManifestRecord:
    """One manifest of the plan, and the images that lead to it."""

    digest: Annotated[Digest, DIGEST, "The manifest."]
    verdict: Annotated[
        str,
        word_of("delete", "untag", "keep", "fail"),
        "delete: it is deleted with all its tags; untag: `images` are removed, it is kept; keep, fail: nothing is done.",
    ]
    reason: Annotated[KeptReason | None, optional(one_of(KeptReason)), _REASON]
    because: Annotated[tuple[str, ...], TEXTS, _BECAUSE]
    error: Annotated[ErrorRecord | None, _ERROR]
    way: Annotated[
        UntagMethod | None,
        optional(one_of(UntagMethod)),
        "untag: by DELETE of the tag, or by a decoy that is pushed over it.",
    ]
    media_type: Annotated[str, word_of(*MEDIA_TYPES)]
    size: Annotated[int, NUMBER, "Of the manifest, in bytes."]
    tags: Annotated[tuple[str, ...], TAGS, "All tags seen on it, listed or not."]
    also_removed: Annotated[
        tuple[str, ...] | None,
        optional(TEXTS),
        "Tags outside the list that are deleted with it; null: they were not read.",
    ]
    parents: Annotated[
        tuple[Digest, ...],
        tuple_of(described(DIGEST, description="A manifest.")),
        "Manifests that must be deleted before it: indexes that name it, and its subject.",
    ]
    leaves: Annotated[
        tuple[str, ...], TEXTS, "Manifests and tags that stay although only this manifest referred to them."
    ]
    images: Annotated[
        tuple[TargetRecord, ...],
        described(tuple_of(record_of(TargetRecord, "One image.")), minItems=1),
        "The images of the list that lead to it.",
    ]


@valueclass(kw_only=True)
class SettledRecord(TargetRecord):
    """An image that leads to no manifest which could be deleted."""

    status: Annotated[
        str,
        word_of("absent", "failed", "kept", "would-delete"),
        "would-delete: a tag that is listed and leads to no manifest; it is deleted, and cannot be restored.",
    ]
    reason: Annotated[str | None, optional(word_of(NO_REPOSITORY, *(reason.value for reason in KeptReason))), _REASON]
    because: Annotated[tuple[str, ...], TEXTS, _BECAUSE]
    error: Annotated[ErrorRecord | None, _ERROR]


@valueclass
class UnmatchedRecord:
    """A pattern of the list that leads to no image."""

    pattern: Annotated[str, TEXT]
    source: Annotated[str, TEXT]
    note: Annotated[str | None, optional(TEXT)]
    status: Annotated[str, word_of("no-match", "failed", "not-attempted")]
    reason: Annotated[NotAttemptedReason | None, optional(one_of(NotAttemptedReason)), _REASON]
    because: Annotated[tuple[str, ...], TEXTS, _BECAUSE]
    error: Annotated[ErrorRecord | None, _ERROR]


@valueclass
class RepositoryRecord:
    """One repository of the plan."""

    repository: Annotated[str, TEXT, "host/path, in normal form."]
    tags_seen: Annotated[int | None, optional(NUMBER), "How many tags it has, if known."]
    strategy: Annotated[
        Order,
        one_of(Order),
        "The order of requests: manifests by digest; tags and then manifests; or one decoy over all these tags, its "
        "DELETE, and then manifests. It is decided anew when the plan is carried out.",
    ]
    requests: Annotated[int, NUMBER, "How many requests it takes to carry the plan out here."]
    manifests: Annotated[
        tuple[ManifestRecord, ...],
        tuple_of(record_of(ManifestRecord, "One manifest. Sorted by digest.")),
        "The manifests that are named.",
    ]
    settled: Annotated[
        tuple[SettledRecord, ...],
        tuple_of(record_of(SettledRecord, "One image.")),
        "Images that lead to no manifest which could be deleted.",
    ]


def _constant(value: Any) -> Kind[Any]:
    def read(found: Any) -> Any:
        if found != value:
            raise ValueError(f"is not {value!r}")
        return found

    return Kind({"const": value}, read)


_TOTALS: Kind[Mapping[str, int]] = Kind({"type": "object", "additionalProperties": {"type": "integer"}}, dict, dict)


@valueclass
class PlanRecord:
    """The whole file."""

    format: Annotated[str, _constant(FORMAT)]
    version: Annotated[int, _constant(VERSION), "It is raised by every change that an older bulkrm could misread."]
    options: Annotated[
        PlanOptions,
        record_of(PlanOptions, "The settings that the plan was made with, and is judged again with."),
    ]
    repositories: Annotated[
        tuple[RepositoryRecord, ...],
        tuple_of(record_of(RepositoryRecord, "One repository. Sorted by name.")),
        "The repositories of the plan.",
    ]
    unmatched: Annotated[
        tuple[UnmatchedRecord, ...],
        tuple_of(record_of(UnmatchedRecord, "One pattern.")),
        "Patterns of the list that lead to no image.",
    ]
    totals: Annotated[
        Mapping[str, int],
        _TOTALS,
        "Numbers for people, which `apply` does not check. `bytes_freed_at_most` is an upper bound: blobs that kept images "
        "share count too.",
    ]
