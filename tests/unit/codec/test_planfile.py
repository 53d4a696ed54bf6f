"""Saved plans: written in a fixed order, read back equal or refused whole, shown to people."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bulkrm.api.plans import DeletionPlan
from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_reader import read
from bulkrm.codec.plan_schema import plan_schema
from bulkrm.codec.plan_writer import write
from bulkrm.model.digest import Digest
from bulkrm.model.errors import InputError
from bulkrm.model.manifests.manifest import OCI_INDEX, OCI_MANIFEST, Blob, Resolved
from bulkrm.model.plan import Dangling, Delete, Item, Order, Plan, Settled, Untag, UntagMethod
from bulkrm.model.reference import DigestRef, Repository, TagRef
from bulkrm.model.result.failure import Failure, FailureCode, Reach
from bulkrm.model.result.outcome import Failed, Gone, Kept, KeptReason, NoMatch, NotAttempted, NotAttemptedReason
from bulkrm.model.settings import Limit, Policy, Shared
from bulkrm.model.target import Source, Target, Unmatched
from bulkrm.planning.order.cost import freed_bytes, requests_for, requests_in
from bulkrm.reports.plan_view import view

GOLDEN = Path(__file__).parent / "golden"
APP, WEB = Repository("reg.example.com", "team/app"), Repository("reg.example.com:5000", "web")
LOST = Failure(FailureCode.TIMEOUT, "no answer within the time limit", None, "raise --timeout", Reach.IMAGE)
ONE, TWO, THREE, INDEX, CHILD = (
    Resolved(Digest.of(name), OCI_INDEX if name == b"index" else OCI_MANIFEST, 1000 + number)
    for number, name in enumerate((b"one", b"two", b"three", b"index", b"child"))
)


def tag(name: str, place: Repository = APP, line: int = 3) -> Target:
    """A tag of the list."""
    return Target(TagRef(place, name), Source("images.yaml", line), "a note" if line == 3 else None)


def plan() -> Plan:
    """A plan with everything that a plan can have."""
    of_index = DigestRef(APP, INDEX.digest)
    items = (
        Item(APP, ONE, (tag("pr-1"), tag("pr-2")), Delete((f"{APP}:also",)), ("also", "pr-1", "pr-2")),
        Item(APP, TWO, (tag("pr-3"),), Untag((f"{APP}:stable",), UntagMethod.DECOY), ("pr-3", "stable")),
        Item(APP, TWO, (Target(DigestRef(APP, TWO.digest), Source("argument", 2)),),
             Kept(KeptReason.SHARED, (f"{APP}:stable",)), ("pr-3", "stable")),
        Item(APP, INDEX, (tag("multi", line=9),), Delete(), ("multi",), (), (f"{APP}:left",)),
        Item(APP, CHILD, (Target(DigestRef(APP, CHILD.digest), None, None, of_index),), Delete(), (), (INDEX.digest,)),
        Item(WEB, THREE, (tag("x", WEB),), Failed(LOST), ("x",)),
        Item(WEB, ONE, (tag("y", WEB),), Delete(None), ("y",)),
    )  # fmt: skip
    settled = (
        Settled(tag("gone"), Gone()),
        Settled(tag("lost", WEB), Gone(no_repository=True)),
        Settled(tag("broken", WEB), Failed(LOST)),
        Settled(Target(TagRef(WEB, "pinned", ONE.digest), Source("-", 1)), Kept(KeptReason.MOVED, ("elsewhere",))),
    )
    return Plan(items, settled, {APP: 7, WEB: 0})


POLICY = Policy(Shared.UNTAG, Limit(12.5, percent=True), fail_fast=True, recursive=True, allow_decoy=True, verify=True)
WHOLE = PlanDocument(
    plan(),
    POLICY,
    ("*:latest", "**/prod-*:*"),
    (
        Unmatched("reg.example.com/team/app:night-*", Source("images.yaml", 12), None, NoMatch()),
        Unmatched("reg.example.com/x:*", Source("images.yaml", 13), "why", Failed(LOST)),
        Unmatched("reg.example.com/y:*", Source("a b.yaml", 14), None, NotAttempted(NotAttemptedReason.FAIL_FAST)),
    ),
)


def parts(document: PlanDocument) -> tuple[Any, ...]:
    """A document without the order of its parts."""
    by_text = repr
    items = sorted((replace(item, tags=tuple(sorted(item.tags))) for item in document.plan.items), key=by_text)
    return items, sorted(document.plan.settled, key=by_text), document.plan.tags, document.policy, document.protect


def test_it_comes_back() -> None:
    """What is written is read back equal."""
    again = read(write(WHOLE), "plan.json")

    assert parts(again) == parts(WHOLE)
    assert again.unmatched == WHOLE.unmatched


def test_the_order_of_the_input_does_not_matter() -> None:
    """The same plan in another order is the same text."""
    shuffled = Plan(tuple(reversed(plan().items)), tuple(reversed(plan().settled)), {WEB: 0, APP: 7})

    assert write(replace(WHOLE, plan=shuffled)) == write(WHOLE)


def test_the_schema_holds() -> None:
    """What is written fits the schema, whose every object is closed."""
    jsonschema.Draft7Validator.check_schema(plan_schema())
    jsonschema.validate(json.loads(write(WHOLE)), plan_schema())


def test_numbers() -> None:
    """Requests by what is done; bytes once for each digest, of what is deleted only."""
    items = plan().items
    assert [requests_in([item], Order.DIGEST) for item in items] == [1, 1 + 3 + 1, 0, 1, 1, 0, 1]
    assert requests_in([replace(items[1], verdict=Untag(("x",), UntagMethod.TAG))], Order.DIGEST) == 2
    shared = Blob(Digest.of(b"layer"), 5000)
    deletions = [replace(item, resolved=replace(item.resolved, blobs=(shared,))) for item in items]
    assert freed_bytes(deletions) == ONE.size + INDEX.size + CHILD.size + shared.size


def test_the_text(request: pytest.FixtureRequest) -> None:
    """The view on a terminal and in a pipe, and the file, look as their golden files; run this module to renew them."""
    del request
    for name, text in texts().items():
        assert (GOLDEN / name).read_text(encoding="utf-8") == text


def texts() -> dict[str, str]:
    return {"plan.json": write(WHOLE), "terminal-80.txt": view(WHOLE, 80), "pipe.txt": view(WHOLE, None)}


def test_an_empty_plan() -> None:
    """A plan of nothing is one line of totals, and comes back."""
    empty = PlanDocument(Plan(()), Policy())

    assert view(empty, 80) == ("Plan: 0 manifests to delete (0 tags).\n")
    assert read(write(empty), "plan.json") == empty


Edit = Callable[[dict[str, Any]], object]


def first(document: dict[str, Any]) -> dict[str, Any]:
    """The first manifest of the first repository."""
    return dict.__getitem__(document, "repositories")[0]["manifests"][0]  # type: ignore[no-any-return]


def manifest_of(document: dict[str, Any], verdict: str) -> dict[str, Any]:
    """The first manifest with this verdict."""
    return next(
        entry for place in document["repositories"] for entry in place["manifests"] if entry["verdict"] == verdict
    )


EDITS: dict[str, tuple[Edit, str]] = {
    "a key that is none": (lambda d: first(d).update(force=True), "repositories[0].manifests[0]"),
    "a missing key": (lambda d: first(d).pop("size"), "repositories[0].manifests[0]"),
    "no digest": (lambda d: first(d).update(digest="sha256:1"), "repositories[0].manifests[0].digest"),
    "no verdict": (lambda d: first(d).update(verdict="destroy"), "repositories[0].manifests[0].verdict"),
    "no number": (lambda d: first(d).update(size="1"), "repositories[0].manifests[0].size"),
    "no images": (lambda d: first(d).update(images=[]), "repositories[0].manifests[0].images"),
    "a digest twice": (lambda d: d["repositories"][1]["manifests"].append(d["repositories"][1]["manifests"][0]), ""),
    "an image twice": (lambda d: first(d)["images"].append(first(d)["images"][0]), "is there twice"),
    "a repository twice": (lambda d: d["repositories"].append({**d["repositories"][0]}), "is there twice"),
    "no repository": (lambda d: d["repositories"][0].update(repository="team/app"), "repositories[0].repository"),
    "no normal form": (lambda d: d["repositories"][0].update(repository="REG.example.com/team/app"), "normal form"),
    "a stranger's image": (lambda d: first(d)["images"][0].update(image=f"{WEB}:pr-1"), "not a full name of an image of"),
    "no image": (lambda d: first(d)["images"][0].update(image="::"), "images[0].image"),
    "another digest": (
        lambda d: manifest_of(d, "keep")["images"][0].update(image=f"{APP}@{ONE.digest}"), "another digest"),
    "a tag that was not seen": (lambda d: manifest_of(d, "untag").update(tags=["stable"]), "not among the tags"),
    "nothing to live on": (lambda d: manifest_of(d, "untag").update(tags=["pr-3"]), "a tag that the manifest keeps"),
    "no way": (lambda d: manifest_of(d, "untag").update(way=None), "a tag that the manifest keeps"),
    "kept for no reason": (lambda d: manifest_of(d, "keep").update(reason=None), "without a reason"),
    "failed for no reason": (lambda d: manifest_of(d, "fail").update(error=None), "without a reason"),
    "no source": (lambda d: first(d)["images"][0].update(source=None), "has a source, or a digest as its parent"),
    "no place": (lambda d: first(d)["images"][0].update(source="images.yaml"), "is not a place in a list"),
    "no parent": (
        lambda d: first(d)["images"][0].update(source=None, parent=f"{APP}:multi"), "a digest as its parent"),
    "no limit": (lambda d: d["options"].update(max_delete="many"), "options.max_delete"),
    "a dot as limit": (lambda d: d["options"].update(max_delete="."), "is not a limit"),
    "settled for no reason": (lambda d: d["repositories"][0]["settled"][0].update(status="kept"), "without a reason"),
    "unmatched for no reason": (lambda d: d["unmatched"][1].update(error=None), "without a reason"),
    "a newer version": (lambda d: d.update(version=2), "it has version 2, and this bulkrm reads version 1"),
    "another format": (lambda d: d.update(format="terraform"), "it is not a plan of bulkrm"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_what_is_refused(name: str) -> None:
    """A plan that was edited into something inconsistent is refused, and the place is named."""
    change, expected = EDITS[name]
    document = json.loads(write(WHOLE))
    change(document)

    with pytest.raises(InputError) as error:
        read(json.dumps(document), "plan.json")

    assert str(error.value).startswith("plan.json")
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (write(WHOLE)[:500], "was the file cut off?"),
        ("", "plan.json:1:1: it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"format": "bulkrm-plan", "format": "bulkrm-plan"}', "the key 'format' is there twice"),
        ('{"format": NaN}', "NaN is not a number"),
        ('{"n": ' + "9" * 5000 + "}", "plan.json"),
        ("[]", "it is not a plan of bulkrm"),
    ],
)
def test_what_is_no_plan(text: str | bytes, expected: str) -> None:
    """Other files, torn ones and hostile ones are refused with what is wrong."""
    with pytest.raises(InputError) as error:
        read(text, "plan.json")

    assert expected in str(error.value)


def test_items_taken_out_by_hand() -> None:
    """Without a manifest, or a whole repository, it is still a plan; its numbers are not looked at."""
    document = json.loads(write(WHOLE))
    del document["repositories"][1]
    document["repositories"][0]["manifests"] = document["repositories"][0]["manifests"][1:]

    left = read(json.dumps(document), "plan.json")

    assert len(left.plan.items) == len([item for item in plan().items if item.repository == APP]) - 1


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for file, content in texts().items():
        (GOLDEN / file).write_text(content, encoding="utf-8")


# Tags that lead nowhere


DANGLING = replace(WHOLE, plan=replace(plan(), dangling=(Dangling(tag("broken-link")),)), ignore=("*:bad-*",))


def test_a_tag_that_leads_nowhere() -> None:
    """It is read back as it was written, with the damaged tags that hold nothing back; both are there only if needed."""
    text = write(DANGLING)
    jsonschema.validate(json.loads(text), plan_schema())

    found = read(text, "plan.json")

    assert (found.plan.dangling, found.ignore) == (DANGLING.plan.dangling, DANGLING.ignore)
    assert write(found) == text
    assert "ignore_unreadable" not in write(WHOLE)
    assert "would-delete" not in write(WHOLE)


def test_what_removing_it_costs() -> None:
    """It is read and deleted, and looked for in the list; a decoy is deleted as well."""
    one = Dangling(tag("broken-link"))

    assert [
        requests_for(found) for found in ([], [one], [one, one], [replace(one, untag_method=UntagMethod.DECOY)])
    ] == [0, 3, 5, 4]
    whole, without = (json.loads(write(document))["totals"] for document in (DANGLING, WHOLE))
    assert whole["requests"] - without["requests"] == 3
    assert whole["tags_removed"] - without["tags_removed"] == 1
    assert whole["images"] - without["images"] == 1


def test_it_is_shown() -> None:
    """People see that it goes and cannot be put back."""
    assert "broken-link  a tag that leads nowhere: it cannot be put back" in view(DANGLING, None)


@pytest.mark.parametrize("change", [{"image": f"{APP}:broken-link@{ONE.digest}"}, {"image": f"{APP}@{ONE.digest}"}])
def test_what_cannot_lead_nowhere(change: dict[str, str]) -> None:
    """A digest, alone or with a tag, never goes this way, whatever a file says."""
    document = json.loads(write(DANGLING))
    entry = next(
        entry for place in document["repositories"] for entry in place["settled"] if entry["status"] == "would-delete"
    )
    entry.update(change)

    with pytest.raises(InputError, match="would-delete needs a tag of the list"):
        read(json.dumps(document), "plan.json")


@pytest.mark.parametrize("ignored", [5, "x", [5], None])
def test_what_is_no_pattern(ignored: object) -> None:
    """Anything but a list of patterns is refused."""
    document = json.loads(write(DANGLING))
    document["options"]["ignore_unreadable"] = ignored

    with pytest.raises(InputError):
        read(json.dumps(document), "plan.json")


@pytest.mark.parametrize(("port", "other"), [(80, ":80"), (443, ":443")])
def test_hosts_by_another_default_port(port: int, other: str) -> None:
    """A default port that a plan writes is left out where the connection has it; as it is, the plan comes back equal."""
    text = write(WHOLE).replace("reg.example.com/", f"reg.example.com{other}/")
    kept = DeletionPlan.from_json(text)

    assert sorted(write(kept.document)) == sorted(text)
    assert parts(read(text, "plan.json", port))[1:] == parts(WHOLE)[1:]
    assert set(kept.hosts_at(port)) == {"reg.example.com", "reg.example.com:5000"}
    assert f"reg.example.com{other}" in kept.hosts_at({80: 443, 443: 80}[port])
