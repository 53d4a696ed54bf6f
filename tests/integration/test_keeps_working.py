"""After a run that deleted half of a real registry, another client still gets everything that stayed, all platforms."""

from dataclasses import replace
from pathlib import Path

import pytest

from bulkrm.model.settings import Shared
from bulkrm.sandbox import Image, docker_image, docker_list, index_of, oci_image, oci_index
from tests.integration.engine import Options, delete
from tests.support.registries import DISTRIBUTION_2, DISTRIBUTION_3, cases, running
from tests.support.skopeo import copy

APP = "team/app"


def images() -> dict[str, tuple[Image, tuple[str, ...]]]:
    """Images of every kind, by a name, with their tags: those that start with `pr-` are listed."""
    shared_child = oci_image(seed=50)
    found: dict[str, tuple[Image, tuple[str, ...]]] = {}
    for number in range(4):
        kinds = (docker_image(number), oci_image(100 + number), docker_list(200 + number), oci_index(300 + number))
        for kind, image in enumerate(kinds):
            tag = f"{number}-{kind}"
            # Of four, one goes, one goes by a tag that is not its only one, two stay.
            tags = [(f"pr-{tag}",), (f"pr-{tag}", f"v{tag}"), (f"v{tag}",), (f"v{tag}", f"w{tag}")][number]
            found[tag] = image, tags
    found["child of both"] = index_of([shared_child, oci_image(seed=51)]), ("pr-multi",)
    found["its other index"] = index_of([shared_child, oci_image(seed=52)]), ("multi",)
    found["nested"] = index_of([docker_list(400), oci_image(seed=53)]), ("nested",)
    found["nested and gone"] = index_of([docker_list(400), oci_image(seed=54)]), ("pr-nested",)
    return found


@pytest.mark.parametrize("kind", cases([DISTRIBUTION_2, DISTRIBUTION_3]))
@pytest.mark.parametrize("shared", [Shared.REFUSE, Shared.UNTAG])
async def test_everything_that_stayed_can_be_pulled(kind: str, shared: Shared, tmp_path: Path) -> None:
    """Whole images are deleted with their children, tags are taken off others; what is left copies, all platforms."""
    async with running(kind, tmp_path / "registry") as registry:
        for image, tags in images().values():
            await registry.admin.push(APP, image, *tags)
        everything = {tag for _, tags in images().values() for tag in tags}
        options = Options(shared=shared, allow_decoy=True, recursive=True, verify=True)

        dry = await delete(registry.host, f"- {APP}:pr-*", replace(options, dry_run=True))
        done = await delete(registry.host, f"- {APP}:pr-*", options)

        assert done.report.verification is not None
        assert done.report.verification.differences == ()
        assert dry.code == done.code == (3 if shared is Shared.REFUSE else 0)
        left = set(await registry.admin.tags(APP) or ())
        gone = {tag for tag in everything if tag.startswith("pr-")}
        if shared is Shared.REFUSE:
            gone = {tag for tag in gone if not tag.startswith("pr-1-")}
        assert left == everything - gone
        for tag in sorted(left - {"nested"}):
            await copy(f"{registry.host}/{APP}:{tag}", tmp_path / tag)
        for child in images()["nested"][0].children:  # skopeo itself copies no index in an index
            await copy(f"{registry.host}/{APP}@{child.digest}", tmp_path / child.digest[7:])
        assert await registry.admin.digest(APP, "nested") == images()["nested"][0].digest
