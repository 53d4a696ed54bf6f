"""What the progress of the delete phase counts."""

from bulkrm.engine.execute.stages import Stages
from bulkrm.model.digest import Digest
from bulkrm.model.events import ADVANCED, Advanced, Event, Phase, PhaseBegan
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Resolved
from bulkrm.model.plan import Delete, Item, Order
from bulkrm.model.reference import Repository
from bulkrm.model.steps import DeleteManifest, RemoveTagsAhead

ONE, OTHER = Repository("reg.example", "one"), Repository("reg.example", "other")


class Watcher:
    """Keeps each phase, its total, and how often it advanced."""

    def __init__(self) -> None:
        self.phases: list[tuple[Phase, int, int]] = []

    def __call__(self, event: Event) -> None:
        match event:
            case PhaseBegan(phase, total):
                self.phases.append((phase, total, 0))
            case Advanced():
                phase, total, done = self.phases[-1]
                self.phases[-1] = (phase, total, done + 1)
            case _:
                raise AssertionError(event)


def item(repository: Repository, number: int) -> Item:
    """A manifest that goes."""
    return Item(repository, Resolved(Digest.of(bytes([number])), OCI_MANIFEST, 1), (), Delete())


def test_manifests_alone() -> None:
    """Without tags that go first there is one stage."""
    watcher = Watcher()
    steps = [DeleteManifest(item(ONE, number)) for number in range(3)]
    stages = Stages(watcher, steps)

    stages.begin()
    for step in steps:
        stages.ended(step)

    assert watcher.phases == [(Phase.DELETING_MANIFESTS, 3, 3)]


def test_tags_first() -> None:
    """Manifests are counted in their own stage, also those that went while tags were removed elsewhere."""
    watcher = Watcher()
    first, second, alone = item(ONE, 1), item(ONE, 2), item(OTHER, 3)
    clear = RemoveTagsAhead(ONE, (first, second), Order.TAGS_FIRST)
    stages = Stages(watcher, [clear, *map(DeleteManifest, (first, second, alone))])

    stages.begin()
    watcher(ADVANCED)  # by the step itself, for each of its items
    stages.ended(DeleteManifest(alone))
    watcher(ADVANCED)
    stages.ended(clear)
    stages.ended(DeleteManifest(first))
    stages.ended(DeleteManifest(second))

    assert watcher.phases == [(Phase.REMOVING_TAGS, 2, 2), (Phase.DELETING_MANIFESTS, 3, 3)]
