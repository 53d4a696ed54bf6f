"""What each condition keeps: ties, equal dates, time zones, leap days, what is missing; and the footguns of other tools."""

from datetime import UTC, datetime

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.plan import Plan
from bulkrm.model.reference import TagRef
from bulkrm.model.result.outcome import Kept, KeptReason
from bulkrm.model.settings import Shared
from bulkrm.model.target import Target
from bulkrm.selection.conditional import ConditionalEntry
from bulkrm.selection.evaluation import evaluate
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.repository_view import RepositoryView
from tests.support.conditions import APP, NOW, Shown, digest_of, fates, gone, planned


def entry(*lines: str, image: str = "a.b/app:*") -> str:
    """A list with one entry."""
    return "images:\n- image: '" + image + "'\n" + "".join(f"  {line}\n" for line in lines)


def dated(**tags: str | None) -> list[Shown]:
    """Images, each with a tag and a date."""
    return [Shown(tag, (tag.replace("_", "."),), created) for tag, created in tags.items()]


# older-than


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-01-30T11:59:59Z", "delete"),
        ("2026-01-30T12:00:00Z", "too-young"),  # exactly as old stays
        ("2026-01-30T12:00:01Z", "too-young"),
        ("2026-01-30T13:00:00+02:00", "delete"),  # 11:00 UTC
        ("2026-01-30T08:00:00-05:00", "too-young"),  # 13:00 UTC
        ("2026-01-30T11:59:59.999999999Z", "delete"),
        ("2024-02-29T00:00:00Z", "delete"),
        ("2023-02-29T00:00:00Z", "no-date"),  # there was no such day
        ("2016-12-31T23:59:60Z", "no-date"),  # a leap second: no clock of ours has it
        ("1970-01-01T00:00:00Z", "no-date"),
        ("1980-01-01T00:00:01Z", "no-date"),
        ("1981-01-01T00:00:00Z", "delete"),
        ("0001-01-01T00:00:00Z", "no-date"),
        ("2026-03-02T12:00:00Z", "too-young"),  # a day ahead: a clock that is wrong
        ("2026-03-02T12:00:01Z", "no-date"),
        ("yesterday", "no-date"),
        ("2026-01-01", "no-date"),
        ("", "no-date"),
        (None, "no-date"),
    ],
)
def test_older_than(created: str | None, expected: str) -> None:
    """What is younger than 30 days stays, and what has no date."""
    assert fates(planned(entry("older-than: 30d"), dated(a=created))) == {"a": expected}


@pytest.mark.parametrize(
    ("age", "created", "expected"),
    [
        ("36h", "2026-02-28T00:00:00Z", "too-young"),
        ("36h", "2026-02-27T23:59:59Z", "delete"),
        ("2w", "2026-02-15T11:59:59Z", "delete"),
        ("2026-01-31", "2026-01-30T23:59:59Z", "delete"),
        ("2026-01-31", "2026-01-31T00:00:00Z", "too-young"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31T10:59:59Z", "delete"),
        ("2024-02-29", "2024-02-28T23:00:00Z", "delete"),
        ("0h", "2026-03-01T11:59:59Z", "delete"),
        ("0h", "2026-03-01T12:00:00Z", "too-young"),
    ],
)
def test_ages_and_dates(age: str, created: str, expected: str) -> None:
    """Hours, days and weeks count back from now; a date is 00:00 UTC."""
    assert fates(planned(entry(f"older-than: {age}"), dated(a=created))) == {"a": expected}


def test_undated_delete() -> None:
    """What has no date counts as the oldest where the list says so."""
    images = dated(a=None, b="2026-02-28T00:00:00Z", c="1970-01-01T00:00:00Z")

    assert fates(planned(entry("older-than: 30d", "undated: delete"), images)) == {
        "a": "delete",
        "b": "too-young",
        "c": "delete",
    }


def test_older_than_binds_its_own_entry_only() -> None:
    """What another entry names goes, as it does with exclude."""
    text = entry("older-than: 30d") + "- a.b/app:young\n"

    assert fates(planned(text, dated(young="2026-02-28T00:00:00Z", other="2026-02-28T00:00:00Z"))) == {
        "young": "delete",
        "other": "too-young",
    }


def test_a_tag_that_only_a_young_entry_names_is_not_listed_for_another() -> None:
    """One image under two tags, one of them kept by its age: it is shared, and stays, unless the user says otherwise."""
    images = [Shown("x", ("pr-1", "nightly"), "2026-02-28T00:00:00Z")]
    text = entry("older-than: 30d", image="a.b/app:pr-*") + "- a.b/app:nightly\n"

    assert fates(planned(text, images)) == {"pr-1": "shared", "nightly": "shared"}
    assert fates(planned(text, images, shared=Shared.UNTAG)) == {"pr-1": "too-young", "nightly": "untag"}
    assert fates(planned(text, images, shared=Shared.DELETE)) == {"pr-1": "delete", "nightly": "delete"}


def test_what_is_unreadable_stays() -> None:
    """Where the configuration cannot be read, nobody knows the date: that is no missing date, and undated does not count."""
    images = [Shown("x", ("a",), None, unread="HTTP 500")]

    assert fates(planned(entry("older-than: 30d", "undated: delete"), images)) == {"a": "unreadable"}
    assert fates(planned(entry("keep-newest: 1", "undated: delete"), images)) == {"a": "unreadable"}
    assert fates(planned(entry("labels: {x: y}"), images)) == {"a": "unreadable"}
    assert fates(planned(entry("keep-newest: 1", "sort: semver"), images)) == {"a": "no-version"}


# keep-newest

DAYS = {f"t{day}": f"2026-01-{day:02}T00:00:00Z" for day in range(1, 7)}


def test_keep_newest() -> None:
    """The newest stay, the rest goes."""
    assert gone(planned(entry("keep-newest: 2"), dated(**DAYS))) == {"t1", "t2", "t3", "t4"}


def test_fewer_than_are_kept() -> None:
    """Where there are not so many, nothing goes."""
    assert gone(planned(entry("keep-newest: 9"), dated(**DAYS))) == set()


def test_ties_with_the_last_one_stay() -> None:
    """Nobody can say which of two images of one second is the newer one, so both stay."""
    images = dated(
        a="2026-01-03T00:00:00Z", b="2026-01-02T00:00:00Z", c="2026-01-02T01:00:00+01:00", d="2026-01-01T00:00:00Z"
    )

    assert gone(planned(entry("keep-newest: 2"), images)) == {"d"}


def test_an_image_counts_once_however_many_tags_it_has() -> None:
    """Other tools count `latest` among the newest N beside the version that it is: one less of them stays."""
    images = [
        Shown("x", ("3", "latest", "stable"), "2026-01-03T00:00:00Z"),
        Shown("y", ("2",), "2026-01-02T00:00:00Z"),
        Shown("z", ("1",), "2026-01-01T00:00:00Z"),
    ]

    assert gone(planned(entry("keep-newest: 2"), images)) == {"1"}


def test_ranking_looks_at_all_that_was_chosen() -> None:
    """The newest are those of all images, not of those that are old enough; both have to let an image go."""
    images = dated(
        a="2026-02-28T00:00:00Z", b="2026-02-27T00:00:00Z", c="2026-01-02T00:00:00Z", d="2026-01-01T00:00:00Z"
    )

    assert fates(planned(entry("older-than: 30d", "keep-newest: 2"), images)) == {
        "a": "newest",
        "b": "newest",
        "c": "delete",
        "d": "delete",
    }


def test_what_has_no_date_stays_and_takes_no_place() -> None:
    """It is kept beside the newest; with undated: delete it is the oldest."""
    images = dated(a=None, b="2026-01-03T00:00:00Z", c="2026-01-02T00:00:00Z", d="1970-01-01T00:00:00Z")

    assert fates(planned(entry("keep-newest: 1"), images)) == {
        "a": "no-date",
        "b": "newest",
        "c": "delete",
        "d": "no-date",
    }
    assert gone(planned(entry("keep-newest: 1", "undated: delete"), images)) == {"a", "c", "d"}
    assert gone(planned(entry("keep-newest: 3", "undated: delete"), images)) == set()  # those without a date tie


@pytest.mark.parametrize("more", ["- a.b/app:t6\n", "- image: a.b/app\n  tags: [t6]\n", "- a.b/app:*\n"])
@pytest.mark.parametrize("shared", [Shared.REFUSE, Shared.DELETE, Shared.UNTAG])
def test_the_newest_stay_whoever_names_them(more: str, shared: Shared) -> None:
    """Neither an exact reference, nor another entry, nor --shared overrules it, and the report names the entry."""
    plan = planned(entry("keep-newest: 1") + more, dated(**DAYS), shared=shared)
    (kept,) = [item.verdict for item in plan.items if "t6" in item.tags]

    assert fates(plan)["t6"] == "newest"
    assert isinstance(kept, Kept)
    assert kept.because == ("list.yaml:2: keep-newest: 1",)


def test_a_digest_reference_does_not_overrule_it() -> None:
    """A digest names the same image."""
    plan = planned(entry("keep-newest: 1") + f"- a.b/app@{digest_of('t6')}\n", dated(**DAYS))

    assert set(fates(plan).values()) == {"delete", "newest"}
    assert "t6" not in gone(plan)


def test_groups() -> None:
    """The newest of each group stay; what fits no group is not chosen."""
    images = [
        Shown(tag, (tag,), f"2026-01-{day:02}T00:00:00Z")
        for day, tag in enumerate(("pr-1-a", "pr-1-b", "pr-2-a", "pr-2-b", "main"), 1)
    ]

    assert fates(planned(entry("keep-newest: 1", r"group-by: '(pr-\d+)-.*'"), images)) == {
        "pr-1-a": "delete",
        "pr-1-b": "newest",
        "pr-2-a": "delete",
        "pr-2-b": "newest",
    }


def test_in_several_groups_an_image_stays_if_any_keeps_it() -> None:
    """One image, promoted from one branch to another: the last of the other one."""
    images = [
        Shown("x", ("a-1", "b-1"), "2026-01-01T00:00:00Z"),
        Shown("y", ("a-2",), "2026-01-02T00:00:00Z"),
    ]

    assert fates(planned(entry("keep-newest: 1", "group-by: '([ab])-.*'"), images)) == {
        "a-1": "newest",
        "b-1": "newest",
        "a-2": "newest",
    }


@pytest.mark.parametrize(
    ("sort", "tags", "kept"),
    [
        ("semver", ["1.9.0", "1.10.0", "1.2.0"], "1.10.0"),  # as text 1.9.0 would be the newest
        ("semver", ["v1.2", "1.3", "v1.1.9"], "1.3"),  # a missing v
        ("semver", ["1.0.0-rc.1", "1.0.0", "1.0.0-rc.10"], "1.0.0"),
        ("semver", ["1.0.0-rc.9", "1.0.0-rc.10"], "1.0.0-rc.10"),
        ("semver", ["1.0.0-alpha", "1.0.0-1"], "1.0.0-alpha"),
        ("semver", ["2", "1.9.9"], "2"),
        ("pep440", ["1.0rc1", "1.0", "1.0-1"], "1.0-1"),
        ("pep440", ["1.0.dev3", "1.0a1"], "1.0a1"),
    ],
)
def test_versions(sort: str, tags: list[str], kept: str) -> None:
    """The highest version stays, whatever its date and its place in the alphabet."""
    images = [Shown(tag, (tag,), f"2026-01-{9 - number:02}T00:00:00Z") for number, tag in enumerate(tags)]
    found = fates(planned(entry("keep-newest: 1", f"sort: {sort}"), images))

    assert [tag for tag, fate in found.items() if fate == "newest"] == [kept]


@pytest.mark.parametrize("tag", ["latest", "01.2.3", "1.2.3.4", "1.02", "v", "1.0.0-01", "release-1.2"])
def test_what_is_no_version_stays_and_takes_no_place(tag: str) -> None:
    """A tag that is no version of the scheme is never guessed to be one."""
    images = [Shown(name, (name,)) for name in (tag, "1.0.0", "0.9.0")]

    assert fates(planned(entry("keep-newest: 1", "sort: semver"), images)) == {
        tag: "no-version",
        "1.0.0": "newest",
        "0.9.0": "delete",
    }


def test_the_best_tag_counts() -> None:
    """An image of several versions ranks by its highest one; a tag that is none does not matter then."""
    images = [Shown("x", ("1.0.0", "3.0.0", "latest")), Shown("y", ("2.0.0",)), Shown("z", ("0.5.0",))]

    assert gone(planned(entry("keep-newest: 1", "sort: semver"), images)) == {"2.0.0", "0.5.0"}


# choosing


def test_match_fits_the_whole_tag() -> None:
    """A part of a tag is not enough, and artifact tags are never chosen by it."""
    images = [Shown(tag, (tag,)) for tag in ("pr-1-a", "xpr-1-a", "pr-x-a", f"sha256-{'a' * 64}.sig")]

    assert set(fates(planned(entry(r"match: 'pr-\d+-.*'", image="a.b/app"), images))) == {"pr-1-a"}
    assert set(fates(planned(entry("match: '.*'", image="a.b/app"), images))) == {"pr-1-a", "xpr-1-a", "pr-x-a"}


def test_exclude_match() -> None:
    """What it fits wholly is not chosen."""
    images = [Shown(tag, (tag,)) for tag in ("1.0-rc1", "1.0", "rc1-x")]

    assert set(fates(planned(entry(r"exclude-match: '.*-rc\d+'"), images))) == {"1.0", "rc1-x"}
    assert set(fates(planned(entry(r"exclude-match: '.*-rc\d+'", "exclude: ['1.*']"), images))) == {"rc1-x"}


@pytest.mark.parametrize(
    ("labels", "found", "chosen"),
    [
        ({"stage": "dev"}, "{stage: dev}", True),
        ({"stage": "dev/eu"}, "{stage: 'dev*'}", True),  # * crosses /
        ({"stage": "prod"}, "{stage: 'dev*'}", False),
        ({"stage": "DEV"}, "{stage: dev}", False),
        ({"stage": "dev"}, "{stage: dev, team: '*'}", False),
        ({"stage": "dev", "team": ""}, "{stage: dev, team: '*'}", True),
        ({}, "{stage: '*'}", False),
        ({"v": "1.10"}, "{v: 1.10}", True),
        ({"v": "b"}, "{v: '{a,b}'}", True),
        ({"v": ".x"}, "{v: '*'}", True),
    ],
)
def test_labels(labels: dict[str, str], found: str, chosen: bool) -> None:  # noqa: FBT001
    """Each label has to be there with a value that fits; what does not is not in the report."""
    assert bool(fates(planned(entry(f"labels: {found}"), [Shown("a", ("a",), labels=labels)]))) is chosen
    assert bool(fates(planned(entry(f"annotations: {found}"), [Shown("a", ("a",), annotations=labels)]))) is chosen


@pytest.mark.parametrize(
    ("platform", "wanted", "chosen"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64", "linux/amd64", False),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm64", "linux/arm", False),
    ],
)
def test_platform(platform: str, wanted: str, chosen: bool) -> None:  # noqa: FBT001
    """A single image of the platform is chosen, of any variant if none is named."""
    assert bool(fates(planned(entry(f"platform: {wanted}"), [Shown("a", ("a",), platform=platform)]))) is chosen


def test_an_index_is_never_chosen_by_its_platform() -> None:
    """Its images may be of any."""
    images = [Shown("a", ("a",), children=("b",)), Shown("b", (), None)]

    assert fates(planned(entry("platform: linux/amd64"), images)) == {}


def test_ranking_counts_only_what_labels_choose() -> None:
    """What is not chosen takes no place among the newest."""
    images = [
        Shown("a", ("a",), "2026-01-03T00:00:00Z", {"stage": "prod"}),
        Shown("b", ("b",), "2026-01-02T00:00:00Z", {"stage": "dev"}),
        Shown("c", ("c",), "2026-01-01T00:00:00Z", {"stage": "dev"}),
    ]

    assert fates(planned(entry("labels: {stage: dev}", "keep-newest: 1"), images)) == {"b": "newest", "c": "delete"}


# keeping


def test_in_use() -> None:
    """What runs stays, before any other reason of the user's but protection."""
    images = dated(a="2026-01-01T00:00:00Z", b="2026-01-02T00:00:00Z")
    text = "protect: ['*:b']\n" + entry("older-than: 1h")

    assert fates(planned(text, images, in_use=["a.b/app:a", "a.b/app:b"])) == {"a": "in-use", "b": "protected"}


def test_in_use_and_untag() -> None:
    """With --shared untag other tags of an image in use may go, as with protection."""
    images = [Shown("x", ("release", "pr-1"))]
    text = "images:\n- a.b/app:pr-1\n- a.b/app:release\n"

    assert fates(planned(text, images, in_use=["a.b/app:release"])) == {"release": "in-use", "pr-1": "in-use"}
    assert fates(planned(text, images, in_use=["a.b/app:release"], shared=Shared.UNTAG)) == {
        "release": "in-use",
        "pr-1": "untag",
    }


def test_min_keep() -> None:
    """If too few would stay, the newest of what is to go stay, those without a date first."""
    images = [*dated(**DAYS), Shown("undated", ("u",))]

    assert gone(planned("min-keep: 3\nimages: ['a.b/app:*']\n", images)) == {"t1", "t2", "t3", "t4"}
    assert fates(planned("min-keep: 1\nimages: ['a.b/app:*']\n", images))["u"] == "floor"
    assert gone(planned("min-keep: 4\nimages: ['a.b/app:t*']\n", images)) == {"t1", "t2", "t3"}
    assert gone(planned("min-keep: 1\nimages: ['a.b/app:t*']\n", images)) == set(DAYS)


def test_min_keep_does_not_count_signatures() -> None:
    """A signature that stays is no image that stays."""
    images = [*dated(a="2026-01-01T00:00:00Z"), Shown("s", (f"sha256-{'a' * 64}.sig",))]

    assert gone(planned("min-keep: 1\nimages: [a.b/app:a]\n", images)) == set()


def test_precedence() -> None:
    """The first reason that holds is told: shared before the age, needed before shared, the floor last."""
    young = "2026-02-28T00:00:00Z"
    images = [Shown("i", ("index",), children=("c",)), Shown("c", ("child", "other"), young), Shown("n", ("n",), None)]
    text = (
        entry("older-than: 30d", image="a.b/app:child") + entry("older-than: 30d", image="a.b/app:n").partition("\n")[2]
    )

    assert fates(planned(text, images)) == {"child": "needed", "n": "no-date"}
    assert fates(planned(text, images[1:])) == {"child": "shared", "n": "no-date"}


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["older-than: 1d"], KeptReason.NO_DATE),
        (["older-than: 1d", "undated: delete"], None),
        (["keep-newest: 1", "sort: semver"], KeptReason.NO_DATE),
        (["keep-newest: 1", "undated: delete"], KeptReason.NO_DATE),
        (["labels: {a: b}"], KeptReason.UNREADABLE),
        (["exclude-match: 'x'"], None),
    ],
)
def test_a_tag_that_leads_nowhere(lines: list[str], reason: KeptReason | None) -> None:
    """A tag without a manifest has neither date nor labels, and so it stays where an entry asks for some."""
    (named,) = read_list(entry(*lines), "list.yaml").entries
    assert isinstance(named, ConditionalEntry)
    target = Target(TagRef(APP, "1.0"), named.source, bound=(0,))

    found = evaluate([named], RepositoryView(APP, {}, [(target, None)]), NOW).dangling

    assert [kept.reason for kept in found.values()] == ([reason] if reason else [])


# second judgements


def test_a_new_image_counts_and_one_that_cannot_be_read_keeps_its_group() -> None:
    """What was pushed since takes its place among the newest; if nobody knows its date the whole group stays."""
    images = dated(a="2026-01-01T00:00:00Z", b="2026-01-02T00:00:00Z")
    text = entry("keep-newest: 1")
    targets = [target for item in planned(text, images).changed_items for target in item.targets]
    read = [*images, Shown("n", ("n",), "2026-01-03T00:00:00Z")]
    unread = [*images, Shown("n", ("n",), unread="HTTP 500")]

    assert fates(planned(text, read, new=["n"], targets=targets)) == {"a": "delete"}
    assert fates(planned(text, unread, new=["n"], targets=targets)) == {"a": "unreadable"}
    assert fates(planned(text, unread, targets=targets)) == {"a": "delete"}  # known to the first judgement
    assert fates(planned(text, images[:1], targets=targets)) == {"a": "newest"}  # somebody else deleted the other


# reading


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["older-than: 3m"], "3:15: '3m' has the unit m"),
        (["older-than: 1y"], "write days, such as 365d"),
        (["older-than: 40000d"], "is more than 100 years"),
        (["older-than: 99999999999999999999d"], "is more than 100 years"),
        (["older-than: 30"], "is not an age"),
        (["older-than: [1d]"], "a list or a mapping, where one text should be"),
        (["keep-newest: 0"], "3:16: '0' keeps nothing as keep-newest; leave keep-newest out"),
        (["keep-newest: -1"], "is not a number"),
        (["keep-newest: five"], "is not a number"),
        (["keep-newest: 2", "sort: alphabetical"], "is not a value of sort; write one of date, semver, pep440"),
        (["keep-newest: 2", "group-by: 'pr-.*'"], "captures nothing"),
        (["sort: semver"], "sort has no effect without keep-newest"),
        (["group-by: '(a)'"], "group-by has no effect without keep-newest"),
        (["by: created"], "by has no effect"),
        (["undated: delete", "keep-newest: 1", "sort: semver"], "undated has no effect"),
        (["undated: maybe", "older-than: 1d"], "is not a value of undated"),
        (["match: 'a.*'"], "has a tag, and match beside it"),
        (["labels: dev"], "no mapping, where that of labels should be"),
        (["labels: {}"], "an empty mapping of labels"),
        (["labels: {a: [b]}"], "a list or a mapping"),
        (["platform: amd64"], "is not a platform"),
        (["untagged: yes", "older-than: 1d"], "is not a value of untagged"),
        (["keep_newest: 3"], "unknown key 'keep_newest'; did you mean keep-newest?"),
        (["exclude-match: '(?=a)'"], "which RE2 does not have"),
        (["exclude: ['*-keep ']"], "can never match"),  # a glob with a blank at its end
        (["exclude-match: '.*-keep '"], "has a blank at its end"),
    ],
)
def test_mistakes(lines: list[str], what: str) -> None:
    """A mistake names its place and what to write instead."""
    with pytest.raises(InputError) as caught:
        read_list(entry(*lines), "list.yaml")

    (problem,) = caught.value.problems
    assert what in f"{problem.where.removeprefix('list.yaml:')}: {problem.what}; {problem.remedy}"


@pytest.mark.parametrize("key", ["keep-newest: 1", "match: 'a'", "untagged: true"])
def test_what_says_nothing_of_a_digest(key: str) -> None:
    """keep-newest, group-by, match and untagged together with a digest are mistakes; ages and labels are not."""
    image = f"a.b/app@{digest_of('x')}"
    for named in (image, image.replace("@", ":1@")):
        with pytest.raises(InputError, match="digest"):
            read_list(entry(key, "older-than: 1d", image=named), "list.yaml")

    assert read_list(entry("older-than: 1d", "labels: {a: b}", image=image), "list.yaml").entries


def test_untagged_needs_an_age_and_no_tags() -> None:
    """A manifest whose push is not complete has no tag yet."""
    with pytest.raises(InputError, match="untagged without older-than"):
        read_list(entry("untagged: true", image="a.b/app"), "list.yaml")
    with pytest.raises(InputError, match="tags and untagged"):
        read_list(entry("untagged: true", "older-than: 1d", "tags: [a]", image="a.b/app"), "list.yaml")


def test_whole_run() -> None:
    """min-keep and in-use stand at the top; the place of a file of what is in use is known."""
    found = read_list("in-use: [x.json]\nmin-keep: 3\nimages: [a.b/c:1]\n", "list.yaml")

    assert (found.min_keep, [(file.name, file.where) for file in found.in_use]) == (3, [("x.json", "list.yaml:1:10")])
    with pytest.raises(InputError, match="leave min-keep out"):
        read_list("min-keep: 0\nimages: [a.b/c:1]\n", "list.yaml")


# The footguns of other tools


def test_a_duration_that_overflows_keeps_everything() -> None:
    """A number too large for a clock is a mistake, not an age of a few days."""
    for age in ("106752d", "9223372036854775807h", "4294967296d"):
        with pytest.raises(InputError, match="more than 100 years"):
            read_list(entry(f"older-than: {age}"), "list.yaml")


def test_a_keep_rule_that_matches_nothing() -> None:
    """A keep rule with a slip in it keeps nothing in other tools: here the same line that chooses ranks, so it cannot."""
    images = [Shown(tag, (tag,), f"2026-01-{day:02}T00:00:00Z") for day, tag in enumerate(("rel-1", "rel-2"), 1)]

    assert gone(planned(entry("keep-newest: 1", "group-by: '(release)-.*'"), images)) == set()
    assert gone(planned(entry("keep-newest: 1"), images)) == {"rel-1"}


def test_a_date_of_1970_is_no_old_image() -> None:
    """Reproducible builds have it, and are as young as any."""
    assert gone(planned(entry("older-than: 1d"), dated(a="1970-01-01T00:00:00Z"))) == set()


def test_an_image_promoted_by_a_second_tag() -> None:
    """What also has a tag outside the list is not deleted with the tag that is old."""
    images = [Shown("x", ("pr-1", "v1.0"), "2025-01-01T00:00:00Z")]

    assert fates(planned(entry("older-than: 30d", image="a.b/app:pr-*"), images)) == {"pr-1": "shared"}


def test_sorting_does_not_delete_the_newest() -> None:
    """Sorted as text v10 comes before v9."""
    images = [Shown(tag, (tag,)) for tag in ("v8", "v9", "v10")]

    assert gone(planned(entry("keep-newest: 1", "sort: semver"), images)) == {"v8", "v9"}


def test_plans_rest_on_now_alone() -> None:
    """The same images, the same now: the same plan; and nothing in it tells the time."""
    images = dated(a="2026-01-01T00:00:00Z", b="2026-02-28T00:00:00Z")
    text = entry("older-than: 30d", "keep-newest: 1")

    def made(now: datetime) -> Plan:
        return planned(text, images, now=now)

    assert made(NOW) == made(NOW) == made(datetime(2026, 3, 1, 18, 0, tzinfo=UTC))
    assert APP.path == "app"
