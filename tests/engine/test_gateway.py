"""What a host refused once is not asked again, and one host's trouble is none of another's."""

from bulkrm.sandbox import Reply, oci_image
from tests.engine.runs import APP, Runs
from tests.support.clock import FakeClock
from tests.support.fake_registry import OPEN, FakeRegistry


async def test_a_host_that_is_away_fails_its_own_images() -> None:
    """The images of a registry that nobody reaches fail with that; those of another one go."""
    clock = FakeClock(auto=True)
    runs = Runs(clock=clock)
    runs.fill(2)

    done = await runs.delete(f"- {APP}:pr-*\n- nowhere.test/{APP}:pr-1\n- nowhere.test/{APP}:pr-2")

    assert {image["status"] for image in done.images if image["image"].startswith(runs.registry.host)} == {"deleted"}
    failed = [image for image in done.images if image["image"].startswith("nowhere.test")]
    assert {image["error"]["code"] for image in failed} == {"unreachable"}
    assert runs.registry.tags(APP) == {}


async def test_two_registries_are_worked_at_together() -> None:
    """A pause that one registry asks for does not hold up another."""
    clock = FakeClock(auto=True)
    other = FakeRegistry(clock, host="other.test")
    other.push(APP, oci_image(1), "pr-1")
    runs = Runs(OPEN, other, clock=clock)
    runs.fill(1)
    runs.registry.faults.add(Reply(429, {"Retry-After": "300"}), method="DELETE")
    gone: dict[str, float] = {}

    def hear(method: str, _: str) -> None:
        if method == "DELETE" and not other.tags(APP):
            gone.setdefault(other.host, clock.monotonic())

    done = await runs.delete(f"- {APP}:pr-0\n- other.test/{APP}:pr-1", heard=hear)

    assert {image["status"] for image in done.images} == {"deleted"}
    assert gone[other.host] < 300 <= clock.monotonic()


async def test_a_refusal_of_one_repository_is_not_another_ones(runs: Runs) -> None:
    """Who may not delete in one repository is told once there, and deletes in the next."""
    digests = runs.fill(4)
    runs.registry.push("team/other", oci_image(50), "pr-1")
    runs.registry.faults.add(Reply(403), method="DELETE", path=f"/v2/{APP}/", times=None)

    done = await runs.delete(f"- {APP}:pr-*\n- team/other:pr-1")

    assert {word for name, word in done.statuses.items() if name.startswith(f"{APP}:")} == {"failed not-permitted"}
    assert done.statuses["team/other:pr-1"] == "deleted"
    assert len(runs.registry.deleted(APP)) == 1 < len(digests)
