"""What holds for every pattern, every glob and every file."""

from contextlib import suppress

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bulkrm.model.errors import InputError, Problem
from bulkrm.model.reference import Reference, Repository
from bulkrm.model.target import Source, Target
from bulkrm.selection.entry import parse_entry, parse_tag
from bulkrm.selection.listfile.document import read_list
from bulkrm.selection.patterns.glob import Glob, match_repositories, match_tags, merge
from bulkrm.selection.patterns.pattern import ExcludePattern, ProtectPattern, RepositoryPattern, TagPattern
from tests.property import strategies as some

SOURCE = Source("images.yaml", 1)
REPOSITORY = Repository("registry.example.com", "team/app")
_words = "images: registry: protect: image: tags: exclude: note: a.b/c:1 team/app:1 a.b/c:* x << --- ... &a *a !!str"
_yaml_pieces = st.sampled_from([*_words.split(), *"\n\n\n[]{}\"'|#?@%,\t\ufeff\0", "- ", "\n- ", "  ", ": "])


@given(some.tag_patterns, st.lists(some.near_tags), st.lists(some.tag_patterns, max_size=2))
def test_a_glob_chooses_among_the_listed_tags(pattern: str, tags: list[str], exclude: list[str]) -> None:
    """The match set is a sorted subset of the listing, and excluding more never chooses more."""
    with suppress(InputError):
        excludes = tuple(map(ExcludePattern, exclude))
        chosen = match_tags(Glob(REPOSITORY, TagPattern(pattern), SOURCE), REPOSITORY, tags)
        fewer = match_tags(Glob(REPOSITORY, TagPattern(pattern), SOURCE, excludes), REPOSITORY, tags)
        names = [str(target.reference).rpartition(":")[2] for target in chosen]

        assert names == sorted(set(names))
        assert set(names) <= set(tags)
        assert set(fewer) <= set(chosen)


@given(some.tags, st.lists(some.tags))
def test_an_exact_tag_chooses_that_one_tag(tag: str, others: list[str]) -> None:
    """A pattern without wildcards chooses its own text and nothing else."""
    chosen = match_tags(Glob(REPOSITORY, TagPattern(tag), SOURCE), REPOSITORY, [*others, tag])

    assert [str(target.reference) for target in chosen] == [f"{REPOSITORY}:{tag}"]


@given(some.path_patterns, st.lists(some.paths))
def test_a_repository_pattern_chooses_among_the_listed_paths(pattern: str, paths: list[str]) -> None:
    """The chosen repositories are a sorted subset of the catalog, all on the pattern's host."""
    with suppress(InputError):
        chosen = match_repositories(RepositoryPattern("registry.example.com", pattern), paths)

        assert [repository.path for repository in chosen] == sorted({one.path for one in chosen} & set(paths))
        assert {repository.host for repository in chosen} <= {"registry.example.com"}


@given(some.repositories, some.tags)
def test_everything_is_protected_by_all_of_these(repository: Repository, tag: str) -> None:
    """A pattern of everything, an exact one, and one of the last component hold on any image."""
    last = repository.path.rpartition("/")[2]
    for text in ("**:*", "*:*", f"{repository}:{tag}", f"{repository.host}/**:*", f"{last}:{tag}", f"**/{last}:*"):
        assert ProtectPattern.parse(text).protects(repository, tag)


@given(some.almost_patterns | st.text(), some.near_tags, some.repositories)
def test_any_text_is_a_pattern_or_an_input_error(text: str, tag: str, repository: Repository) -> None:
    """Any text is a pattern of a tag, a path, a protection or an entry, or raises InputError; all of them match."""
    with suppress(InputError):
        TagPattern(text).matches(tag)
    with suppress(InputError):
        parse_tag(text)
    with suppress(InputError):
        RepositoryPattern(repository.host, text).matches(repository.path)
    with suppress(InputError):
        ProtectPattern.parse(text).protects(repository, tag)
    with suppress(InputError):
        (entry,) = parse_entry(text, source=SOURCE)

        assert not isinstance(entry, Glob) or parse_entry(entry.text, source=SOURCE) == [entry]


@given(some.path_patterns, some.paths)
def test_what_a_component_star_matches_the_double_star_matches(pattern: str, path: str) -> None:
    """`**` chooses at least what `*` chooses in its place."""
    single = pattern.replace("**", "*")
    with suppress(InputError):
        wider = RepositoryPattern("a.b", single.replace("*", "**"))
        if RepositoryPattern("a.b", single).matches(path):
            assert wider.matches(path)


@given(st.binary() | st.text() | st.lists(_yaml_pieces, max_size=25).map("".join))
def test_any_content_is_a_list_or_an_input_error(content: bytes | str) -> None:
    """Any bytes are a list file or raise InputError, every problem of which names a place in the file."""
    problems = _problems(content)

    assert all(problem.where.startswith("images.yaml:") for problem in problems)


@given(st.lists(some.references, min_size=1, max_size=8), st.booleans())
def test_a_dumped_list_reads_as_itself(references: list[Reference], in_long_form: bool) -> None:  # noqa: FBT001
    """What a YAML library writes is read back: every reference, in order, once a line."""
    texts = [str(reference) for reference in references]
    content = yaml.safe_dump({"images": texts} if in_long_form else texts, width=10_000)
    entries = read_list(content, "images.yaml").entries

    assert entries == tuple(
        Target(reference, Source("images.yaml", number))
        for number, reference in enumerate(references, start=2 if in_long_form else 1)
    )


@given(st.lists(some.references, max_size=8))
def test_merging_keeps_the_first_of_each(references: list[Reference]) -> None:
    """Merged targets are distinct, in order of first appearance, with the first source; merging again changes nothing."""
    targets = [Target(one, Source("images.yaml", line)) for line, one in enumerate([*references, *references], 1)]
    merge_fresh = merge(targets)

    assert [target.reference for target in merge_fresh] == list(dict.fromkeys(references))
    assert all(target.source and target.source.line <= len(references) for target in merge_fresh)
    assert merge(merge_fresh) == merge_fresh


def _problems(content: bytes | str) -> tuple[Problem, ...]:
    """What is wrong with this file: nothing, or at least one problem."""
    try:
        read_list(content, "images.yaml")
    except InputError as error:
        return error.problems or (Problem("", "an error without a problem"),)
    return ()
