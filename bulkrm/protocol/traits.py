"""Where a registry departs from the specification, as a value. `families` has one for each registry family."""

from collections.abc import Collection

from bulkrm.model.result.failure import FailureCode, Reach, TagsOnly
from bulkrm.model.valueclass import valueclass


@valueclass
class Refusal:
    """The meaning of one refusal on some registry: `code`, `hint` and `reach` of the failure.

    `status`, `methods` and `error` tell the refusal: the HTTP status, the methods of the request, and an error code of the
    body (None: any body). `tagged`: the manifest still has a tag, and this registry requires that tags are deleted first.
    """

    status: int
    error: str | None
    code: FailureCode
    hint: str
    reach: Reach = Reach.IMAGE
    methods: frozenset[str] = frozenset({"DELETE"})
    tagged: bool = False

    def matches(self, method: str, status: int, errors: Collection[str]) -> bool:
        """Tell whether an answer with this status and these error codes is this refusal."""
        return method in self.methods and status == self.status and (self.error is None or self.error in errors)


@valueclass
class Traits:
    """The traits of one registry host.

    `actions`: the actions of the first token of a repository; None: exactly those of the challenge. `refusals`: they are
    checked before those of the specification. `untagged_first`: it deletes a manifest only once that has no tag.
    `tags_only`: why it deletes no manifest at all, although it deletes tags. `restorable`: a deleted image can be pushed
    again without its blobs until garbage is collected. `collected_by_command`: its operator collects garbage by
    distribution's command. `deletes_manifests`: it deletes manifests if it deletes at all, so a refusal means that
    deletion is disabled.
    """

    actions: frozenset[str] | None = frozenset({"pull", "delete"})
    refusals: tuple[Refusal, ...] = ()
    untagged_first: bool = False
    tags_only: TagsOnly | None = None
    restorable: bool = True
    collected_by_command: bool = False
    deletes_manifests: bool = False


STANDARD = Traits()
