"""Tags that were removed ahead of their manifests count as there, until they are there again."""

from bulkrm.engine.removed_ahead import RemovedAhead
from bulkrm.model.digest import Digest
from bulkrm.model.manifests.manifest import OCI_MANIFEST, Absent, Resolved
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.effect import Removal
from bulkrm.model.target import Target
from bulkrm.planning.image_outcome import GoneAhead, MayBeGone, UnderDecoy, Unlisted

APP = Repository("registry.example", "app")
ONE, DECOY, NEW = Digest.of(b"one"), Digest.of(b"decoy"), Digest.of(b"new")


def leads_to(digest: Digest) -> Resolved:
    """What a tag is found to lead to."""
    return Resolved(digest, OCI_MANIFEST, 3)


def test_a_tag_that_is_gone_is_read_as_what_it_held() -> None:
    """Nothing under it, or a decoy of this run, stands for what it held; anything else is somebody's new push."""
    ahead = RemovedAhead()
    ahead.add(APP, "pr-1", ONE, Removal.ACCEPTED)
    ahead.add_decoy(APP, DECOY)

    assert ahead.held_before(APP, "pr-1", Absent()) == ONE
    assert ahead.held_before(APP, "pr-1", leads_to(DECOY)) == ONE
    assert ahead.held_before(APP, "pr-1", leads_to(NEW)) is None


def test_other_tags_are_what_they_are() -> None:
    """A tag that this run never touched is absent where nothing is found, in this repository and in others."""
    ahead = RemovedAhead()
    ahead.add(APP, "pr-1", ONE, Removal.ACCEPTED)

    assert ahead.held_before(APP, "pr-2", Absent()) is None
    assert ahead.held_before(Repository("registry.example", "other"), "pr-1", Absent()) is None


def test_a_list_is_as_it_was_before() -> None:
    """Whoever lists the tags afterwards sees those that went ahead, each once."""
    ahead = RemovedAhead()
    ahead.add(APP, "pr-1", ONE, Removal.ACCEPTED)

    assert sorted(ahead.as_listed_before(APP, ("latest",))) == ["latest", "pr-1"]
    assert sorted(ahead.as_listed_before(APP, ("latest", "pr-1"))) == ["latest", "pr-1"]


def test_what_may_be_gone_is_not_known_to_be() -> None:
    """A DELETE without an answer makes a tag one that may be gone; only an answer makes it one that is."""
    ahead = RemovedAhead()
    ahead.note_sent(APP, "pr-1", ONE)
    assert not ahead.is_gone(APP, "pr-1")

    ahead.add(APP, "pr-1", ONE, Removal.ACCEPTED)
    assert ahead.is_gone(APP, "pr-1")

    ahead.drop(APP, "pr-1")
    assert not ahead.is_gone(APP, "pr-1")
    assert dict(ahead.of(APP)) == {}


def test_how_it_is_known_that_a_tag_is_gone() -> None:
    """Only a clean answer spares the tag list; a reading proves no more than there was, and a tag that is back nothing."""
    ahead = RemovedAhead()
    ahead.add(APP, "clean", ONE, Removal.ACCEPTED)
    ahead.add(APP, "silent", ONE, Removal.FOUND_GONE)
    ahead.note_sent(APP, "sent", ONE)
    assert not ahead.any_found_gone(APP, ("clean", "sent", "other"))
    assert ahead.any_found_gone(APP, ("clean", "silent"))

    for tag in ("clean", "silent", "sent"):
        assert ahead.held_before(APP, tag, Absent()) == ONE
    assert not ahead.any_found_gone(APP, ("clean",))
    assert ahead.any_found_gone(APP, ("silent",))
    assert ahead.any_found_gone(APP, ("sent",))

    assert ahead.held_before(APP, "silent", leads_to(ONE)) is None
    assert not ahead.any_found_gone(APP, ("silent",))


def test_what_a_removal_came_to() -> None:
    """A tag in doubt, or under a decoy of this run, may be gone; a reading that finds nothing shows that it is."""
    ahead = RemovedAhead()
    ahead.add_decoy(APP, DECOY)
    ahead.doubt(APP, "a", ONE)
    ahead.add(APP, "b", NEW, Removal.ACCEPTED)
    a, b = (Target(TagRef(APP, tag), None) for tag in "ab")

    assert ahead.is_gone(APP, "a")
    assert ahead.any_found_gone(APP, ("a",))
    assert ahead.removed(a) == ahead.removed(Target(DigestRef(APP, ONE), None)) == MayBeGone(ONE)
    assert ahead.held_before(APP, "a", Absent()) == ONE
    assert ahead.removed(a) == GoneAhead(ONE, Removal.FOUND_GONE)
    assert ahead.held_before(APP, "b", leads_to(DECOY)) == NEW
    assert ahead.removed(b) == UnderDecoy(NEW)
    assert ahead.removed(Target(TagRef(APP, "c"), None)) is None


def test_one_tag_that_is_gone_tells_of_its_digest() -> None:
    """An image that is named by digest has lost a tag for certain if any of its tags is known to be gone."""
    ahead = RemovedAhead()
    ahead.doubt(APP, "a", ONE)
    ahead.add(APP, "b", ONE, Removal.ACCEPTED)

    assert ahead.removed(Target(DigestRef(APP, ONE), None)) == GoneAhead(ONE, Removal.ACCEPTED)


def test_unlisted_tags_of_a_manifest() -> None:
    """They come with each tag of it that is gone, as certain as they are, and only as long as they count as gone."""
    ahead = RemovedAhead()
    ahead.note_unlisted(APP, ONE, ["b", "c", "d"])
    ahead.add(APP, "a", ONE, Removal.ACCEPTED)
    ahead.add(APP, "b", ONE, Removal.ACCEPTED)
    ahead.doubt(APP, "c", ONE)

    removed = ahead.removed(Target(TagRef(APP, "a"), None))

    assert removed == GoneAhead(ONE, Removal.ACCEPTED, Unlisted((f"{APP}:b",), (f"{APP}:c",)))
    ahead.drop(APP, "b")
    ahead.drop(APP, "c")
    assert ahead.removed(Target(TagRef(APP, "a"), None)) == GoneAhead(ONE, Removal.ACCEPTED)


def test_the_other_tags_of_an_image_may_have_gone_with_one() -> None:
    """They are not counted as gone, so each is still tried; what a reading finds decides, and where it finds nothing it is gone."""
    ahead = RemovedAhead()
    ahead.add(APP, "pr-1", ONE, Removal.ACCEPTED)
    for tag in ("pr-1", "pr-2", "pr-3", "pr-4"):
        ahead.note_left_behind(APP, tag, ONE)

    assert not ahead.is_gone(APP, "pr-2")
    assert ahead.removed(Target(TagRef(APP, "pr-1"), None)) == GoneAhead(ONE, Removal.ACCEPTED)
    assert ahead.removed(Target(TagRef(APP, "pr-2"), None)) == MayBeGone(ONE)
    assert ahead.held_before(APP, "pr-2", Absent()) == ONE
    assert ahead.removed(Target(TagRef(APP, "pr-2"), None)) == GoneAhead(ONE, Removal.FOUND_GONE)
    assert ahead.held_before(APP, "pr-3", leads_to(ONE)) is None
    assert ahead.removed(Target(TagRef(APP, "pr-3"), None)) is None


def test_where_one_tag_goes_at_a_time_no_other_is_doubted() -> None:
    """A tag that is there after another one of its image went shows that for its whole place, and not for another."""
    ahead, near, far = RemovedAhead(), Repository("registry.example", "app/x"), Repository("registry.example", "b")
    for repository in (APP, near, far):
        ahead.note_left_behind(repository, "pr-2", ONE)

    ahead.note_there(APP, "pr-2")
    ahead.note_left_behind(APP, "pr-3", ONE)

    told = [ahead.removed(Target(TagRef(repository, "pr-2"), None)) for repository in (APP, near, far)]
    assert told == [None, None, MayBeGone(ONE)]
    assert ahead.removed(Target(TagRef(APP, "pr-3"), None)) is None
