"""The facts that were read about one repository, which are all that the guards decide by."""

from collections.abc import Callable, Mapping
from dataclasses import field

from bulkrm.model.condition_verdicts import NO_VERDICTS, ConditionVerdicts
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import Children, Resolution, Resolved
from bulkrm.model.plan import UntagMethod
from bulkrm.model.reference import Repository
from bulkrm.model.result.failure import Failure
from bulkrm.model.target import Target
from bulkrm.model.valueclass import valueclass


@valueclass
class TagsRead:
    """Every tag of the repository, with its manifest.

    `indexes`: the children of each manifest that is not an image and that a tag leads to, directly or through indexes.
    `ignored`: damaged tags that the user ignores (`--ignore-unreadable`).
    """

    tags: Mapping[str, Resolved]
    indexes: Mapping[Digest, Children] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@valueclass
class TagsNotRead:
    """The tags were not read, because of `--shared delete-unseen`. `count`: their number, 0 where it is not known."""

    count: int = 0


@valueclass
class Unreadable:
    """The tag list, or a tag, could not be read, so it is not known which manifests other tags need.

    `why`: one line; `hint`: what the user can do about it.
    """

    why: str
    hint: str | None = None


TagFacts = TagsRead | TagsNotRead | Unreadable
# Returns the text of the first pattern that matches a tag of a repository, None where none does.
FindPattern = Callable[[Repository, str], str | None]


@valueclass
class RepositoryFacts:
    """One repository: its targets in the order of the list, each with the manifest that it leads to, and its tags.

    `expected`: the digests of tags in an earlier judgement; a tag that has moved since is kept, as if it were pinned.
    `untag_method`: how a single tag can be removed; None: not at all; a Failure: the probe failed. DELETE of the tag is
    assumed until the registry was probed. `unknown`: manifests whose referrers could not be read, so they are not deleted.
    `absent`: children and referrers that an index or a list names and that do not exist. `dangling`: tags that the registry
    lists although they lead to no manifest. `conditions`: the verdicts of the list's conditions.
    """

    repository: Repository
    resolutions: tuple[tuple[Target, Resolution], ...]
    tags: TagFacts
    expected: Mapping[str, Digest] = field(default_factory=dict)
    untag_method: UntagMethod | Failure | None = UntagMethod.TAG
    unknown: Mapping[Digest, Failure] = field(default_factory=dict)
    absent: frozenset[Digest] = frozenset()
    dangling: frozenset[str] = frozenset()
    conditions: ConditionVerdicts = NO_VERDICTS
