"""Entries: references and globs, with and without details."""

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.reference import Repository, TagRef, parse_reference
from bulkrm.model.target import Source, Target
from bulkrm.selection.entry import Entry, LongForm, parse_entry, parse_tag
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import ExcludePattern, RepositoryPattern, TagPattern

SOURCE = Source("images.yaml", 2)
REPOSITORY = Repository("a.b", "team/app")
DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize("text", ["a.b/team/app:1", f"a.b/team/app@{DIGEST}", f"[::1]:5000/app:1@{DIGEST}"])
def test_a_reference_is_a_target(text: str) -> None:
    """Without wildcards an entry is one target."""
    assert _read(text) == [Target(parse_reference(text), SOURCE)]


@pytest.mark.parametrize(
    ("text", "normal", "repository"),
    [
        ("a.b/team/app:pr-*", "a.b/team/app:pr-*", REPOSITORY),
        ("A.B:443/team/app:{a,b}", "a.b/team/app:{a,b}", REPOSITORY),
        ("a.b/team/*:latest", "a.b/team/*:latest", RepositoryPattern("a.b", "team/*")),
        ("a.b/*:*", "a.b/*:*", RepositoryPattern("a.b", "*")),
        ("docker.io/nginx:1.*", "docker.io/library/nginx:1.*", Repository("docker.io", "library/nginx")),
        ("docker.io/nginx*:1", "docker.io/library/nginx*:1", RepositoryPattern("docker.io", "library/nginx*")),
        ("[::1]:5000/app:*", "[::1]:5000/app:*", Repository("[::1]:5000", "app")),
        ("[::1]:5000/[a-c]:1", "[::1]:5000/[a-c]:1", RepositoryPattern("[::1]:5000", "[a-c]")),
        ("localhost:5000/app:?", "localhost:5000/app:?", Repository("localhost:5000", "app")),
    ],
)
def test_a_glob(text: str, normal: str, repository: Repository | RepositoryPattern) -> None:
    """An exact repository stays one, so that its tag listing is enough; the text is the normal form."""
    (entry,) = _read(text)

    assert isinstance(entry, Glob)
    assert (entry.text, entry.repository, entry.host) == (normal, repository, repository.host)
    assert entry.source == SOURCE


def test_the_default_host_of_a_glob() -> None:
    """A glob without a host is on the default one."""
    (entry,) = parse_entry("[a-z]*/app:pr-*", source=SOURCE, default_host="a.b:5000")

    assert isinstance(entry, Glob)
    assert entry.text == "a.b:5000/[a-z]*/app:pr-*"


def test_details_of_a_glob() -> None:
    """A glob carries its note and what it excludes."""
    detail = LongForm(exclude=(ExcludePattern("*-keep"),), note="old")

    assert _read("a.b/team/app:*", detail) == [
        Glob(REPOSITORY, TagPattern("*"), SOURCE, (ExcludePattern("*-keep"),), "old")
    ]


def test_a_note_of_a_reference() -> None:
    """A target carries its note."""
    assert _read("a.b/team/app:1", LongForm(note="old")) == [Target(TagRef(REPOSITORY, "1"), SOURCE, "old")]


def test_tags_of_a_repository() -> None:
    """Each of `tags` is an entry: exact ones are targets, patterns are globs."""
    exclude = (ExcludePattern("*-keep"),)
    entries = _read("a.b/team/app", LongForm(("1.10", TagPattern("pr-*"), "on"), exclude, "old"))

    assert entries == [
        Target(TagRef(REPOSITORY, "1.10"), SOURCE, "old"),
        Glob(REPOSITORY, TagPattern("pr-*"), SOURCE, exclude, "old"),
        Target(TagRef(REPOSITORY, "on"), SOURCE, "old"),
    ]


def test_tags_of_a_repository_pattern() -> None:
    """Where the repository is a pattern, an exact tag is a pattern that matches itself."""
    (entry,) = _read("a.b/team/*", LongForm(("1.10",)))

    assert entry == Glob(RepositoryPattern("a.b", "team/*"), TagPattern("1.10"), SOURCE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.b/team/app", "has neither a tag nor a digest"),
        ("a.b/team/*", "has neither a tag nor a pattern of tags; write a.b/team/*:TAG, or a.b/team/*:* for all tags"),
        ("team/*:1", "'team/*' does not name its registry"),
        ("*.b/app:1", "a host cannot be a pattern"),
        ("*.b/app:pr-*", "a host cannot be a pattern"),
        (f"a.b/app*@{DIGEST}", "a digest names one manifest"),
        (f"a.b/app:pr-*@{DIGEST}", "a digest names one manifest"),
        ("user:secret@a.b/app:*", "'***@a.b/app:*' holds credentials"),
        ("user:secret" + "x" * 2000 + "@a.b/app:1", "'***@a.b/app:1' is longer than"),
        (f"user:secret@a.b/app*@{DIGEST}", "holds credentials"),
        ("https://a.b/app:*", "starts with a scheme; write a.b/app:*"),
        ("a.b/app:pr- *", "no name holds ' '"),
        ("a.b/Team/app*:1", "repository names are lower case"),
        ("a.b/app:*:1", "no name holds ':'"),
        ("a.b/app:[z-a]", "goes backwards"),
        ("a.b/" + "a" * 1000 + ":1", "is longer than 1000 characters"),
    ],
)
def test_what_is_no_entry(text: str, message: str) -> None:
    """A mistake is an InputError that says what to write, without passwords."""
    with pytest.raises(InputError) as caught:
        _read(text)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "detail", "message"),
    [
        ("a.b/app:1", LongForm(("2",)), "write a.b/app with tags, or a.b/app:1 without"),
        (f"a.b/app@{DIGEST}", LongForm(("2",)), "a digest names one manifest"),
        ("", LongForm(("2",)), "an empty pattern"),
        ("app", LongForm(("2",)), "does not name its registry"),
        ("a.b/app:1", LongForm(exclude=(ExcludePattern("x"),)), "there is nothing to exclude"),
        ("a.b/app", LongForm(("2",), (ExcludePattern("x"),)), "exclude has no effect"),
    ],
)
def test_details_that_contradict(text: str, detail: LongForm, message: str) -> None:
    """A second tag, or an exclude without a pattern, is an error."""
    with pytest.raises(InputError) as caught:
        _read(text, detail)
    assert message in str(caught.value)


def test_every_tag_that_is_listed_and_excluded_is_shown() -> None:
    """All contradictions of an entry come at once."""
    detail = LongForm(("1-keep", TagPattern("*"), "2-keep", "3"), (ExcludePattern("*-keep"),))
    with pytest.raises(InputError) as caught:
        _read("a.b/app", detail)
    assert [problem.what for problem in caught.value.problems] == [
        "the tag '1-keep' is listed and excluded, by '*-keep'",
        "the tag '2-keep' is listed and excluded, by '*-keep'",
    ]


def test_no_tags_are_no_entries() -> None:
    """With an empty `tags` there is nothing; that the list is empty is the caller's to say."""
    assert _read("a.b/app", LongForm((), (ExcludePattern("x"),))) == []


def test_reading_one_of_tags() -> None:
    """A text without wildcards is an exact tag."""
    assert parse_tag("1.10") == "1.10"
    assert parse_tag("pr-*") == TagPattern("pr-*")


@pytest.mark.parametrize("text", ["", "a b", "-x", "a:b", "x" * 129, "user:secret@x", "pr-{a"])
def test_what_is_none_of_tags(text: str) -> None:
    """Anything else is an InputError, credentials masked."""
    with pytest.raises(InputError) as caught:
        parse_tag(text)
    assert "secret" not in str(caught.value)


def _read(text: str, detail: LongForm | None = None) -> list[Entry]:
    return parse_entry(text, source=SOURCE, detail=detail or LongForm())
