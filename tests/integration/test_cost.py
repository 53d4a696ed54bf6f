"""What the guard costs: one HEAD for every other tag, one GET for every distinct index, and no more."""

from collections import Counter

from bulkrm.sandbox import Sandbox, index_of, oci_image, oci_index, put_image
from tests.integration.engine import delete

APP = "team/app"


async def test_the_guard_reads_everything_once() -> None:
    """Several entries and globs over one repository share what is read: tags, kept indexes, nested ones."""
    async with Sandbox() as sandbox:
        for number in range(6):
            put_image(sandbox.store, APP, [f"pr-{number}"], oci_image(seed=number))
        for number in range(20):
            put_image(sandbox.store, APP, [f"v{number}"], oci_image(seed=100 + number))
        inner = oci_index(50)
        outer = index_of([inner, oci_image(seed=60)])
        put_image(sandbox.store, APP, ["multi", "multi-too"], outer)
        put_image(sandbox.store, APP, ["inner"], inner)
        put_image(sandbox.store, APP, ["another"], oci_index(70))
        text = f"- {APP}:pr-0\n- {APP}:pr-1\n- {APP}:pr-[2-3]\n- {APP}:pr-*\n- {APP}:pr-4"

        done = await delete(sandbox.host, text)

        asked = Counter((method, path.rpartition("/")[2]) for method, path in done.sent if "/manifests/" in path)
        assert set(done.statuses.values()) == {"deleted"}
        others = [*(f"v{number}" for number in range(20)), "multi", "multi-too", "inner", "another"]
        # The first deletion is looked at: its digest, its tag, and the list once more.
        looks = sorted(name for (method, name), _ in asked.items() if method == "HEAD" and name not in others)
        assert (len(looks), looks[0][:3], looks[1][:7]) == (2, "pr-", "sha256:")
        assert all(count == 1 for (method, _), count in asked.items() if method == "HEAD")
        assert {name for (method, name), _ in asked.items() if method == "HEAD"} == {*others, *looks}
        assert {key: count for key, count in asked.items() if key[0] == "GET"} == {
            **{("GET", f"pr-{number}"): 1 for number in range(6)},
            **{("GET", digest): 1 for digest in (outer.digest, inner.digest, oci_index(70).digest)},
        }
        assert sum(count for (method, _), count in asked.items() if method == "DELETE") == 6
        assert sum("tags/list" in path for _, path in done.sent) == 1 + 1
