"""What a run is asked to do, and its plan as a file has it."""

from bulkrm.codec.plan_reader import read
from bulkrm.engine.job import Job, Saved
from bulkrm.model.plan import Plan
from bulkrm.model.result.outcome import NoMatch
from bulkrm.model.settings import Limit, Policy, Shared
from bulkrm.model.target import Source, Unmatched
from bulkrm.selection.image_list import parse_images
from bulkrm.selection.patterns.pattern import ProtectPattern

IMAGES = parse_images(["b.example/app:1", "a.example/app:1", "b.example/app:2"])
LATEST = ProtectPattern.parse("*:latest", 443)


def test_hosts() -> None:
    """The registries of a list, each once, in its order."""
    assert Job(IMAGES.entries, (), Policy()).hosts == ("b.example", "a.example")


def test_hosts_of_a_saved_plan() -> None:
    """A plan in which nothing is left asks nobody."""
    assert Job(Saved(Plan(()), ()), (), Policy()).hosts == ()


def test_the_document_of_a_plan() -> None:
    """It has what the plan was made with, each pattern once, but not that it was a dry run; its text is read back so."""
    policy = Policy(Shared.UNTAG, Limit(3), dry_run=True, measure=True, verify=True)
    job = Job(IMAGES.entries, (LATEST, LATEST), policy, (LATEST,))
    nothing = Unmatched("a.example/x:*", Source("images.yaml", 7), None, NoMatch())

    document = job.document(Plan(()), [nothing])

    assert document.policy == Policy(Shared.UNTAG, Limit(3), verify=True)
    assert (document.protect, document.ignore, document.unmatched) == (("*:latest",), ("*:latest",), (nothing,))
    assert read("".join(job.plan_text(Plan(()), [nothing])), "plan.json") == document
