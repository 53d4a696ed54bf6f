"""A glob: a pattern of images, which listings turn into targets."""

from bulkrm.model.reference import Repository
from bulkrm.model.target import Source
from bulkrm.model.valueclass import valueclass
from bulkrm.selection.patterns.pattern import RepositoryPattern
from bulkrm.selection.selector import TagFilter


@valueclass
class Glob:
    """A pattern of images.

    If `repository` is a Repository, its tag listing is enough; a RepositoryPattern needs the catalog of the host first.
    `exclude`: tags that the glob does not choose.
    """

    repository: Repository | RepositoryPattern
    tags: TagFilter
    source: Source
    exclude: tuple[TagFilter, ...] = ()
    note: str | None = None

    @property
    def host(self) -> str:
        """The registry host, in normal form."""
        return self.repository.host

    @property
    def text(self) -> str:
        """The normal form: `host/team/app:pr-*`."""
        return f"{self.repository}:{self.tags.text}"

    def matches(self, tag: str) -> bool:
        """Tell whether the glob chooses a tag of its repositories."""
        return self.tags.matches(tag) and not any(pattern.matches(tag) for pattern in self.exclude)
