"""List files: what they mean, and every mistake with its place."""

import pytest

from bulkrm.model.errors import InputError
from bulkrm.model.reference import parse_reference
from bulkrm.model.target import Source, Target
from bulkrm.selection.listfile.document import Limits, ListFile, read_list
from bulkrm.selection.patterns.glob import Glob
from bulkrm.selection.patterns.pattern import ExcludePattern, ProtectPattern

DIGEST = "sha256:" + "ab" * 32


def test_the_short_form() -> None:
    """A list of references and globs: entries in order, each with its line."""
    listed = read_list(f"# old ones\n- a.b/c:1  # why\n\n- 'a.b/c:pr-*'\n- a.b/c@{DIGEST}\n", "images.yaml")
    first, second, third = listed.entries

    assert first == Target(parse_reference("a.b/c:1"), Source("images.yaml", 2))
    assert isinstance(second, Glob)
    assert (second.text, second.source) == ("a.b/c:pr-*", Source("images.yaml", 4))
    assert third == Target(parse_reference(f"a.b/c@{DIGEST}"), Source("images.yaml", 5))
    assert listed.protect == ()


LONG = """\
registry: A.b:443
protect: ["*:latest", "**/prod-*:*"]
images:
  - team/app:pr-*
  - image: team/*:nightly-*
    exclude: ["*-keep", 1.0]
    note: older than a month
  - image: team/app
    tags: [1.10, 012, on, ~, 2020-01-01, 0x1F]
  - c.d/app:1
"""


def test_the_long_form() -> None:
    """All keys of the long form; references with a host keep theirs."""
    listed = read_list(LONG.replace(" ~,", ""), "-")

    assert _shown(listed) == [
        "a.b/team/app:pr-* -:4",
        "a.b/team/*:nightly-* -:5",
        "a.b/team/app:1.10 -:8",
        "a.b/team/app:012 -:8",
        "a.b/team/app:on -:8",
        "a.b/team/app:2020-01-01 -:8",
        "a.b/team/app:0x1F -:8",
        "c.d/app:1 -:10",
    ]
    assert listed.protect == (ProtectPattern.parse("*:latest"), ProtectPattern.parse("**/prod-*:*"))
    glob = listed.entries[1]
    assert isinstance(glob, Glob)
    assert (glob.exclude, glob.note) == ((ExcludePattern("*-keep"), ExcludePattern("1.0")), "older than a month")


@pytest.mark.parametrize("value", ["1.10", "012", "on", "0x1F", "1e3", "null", "2020-01-01", "1_000", "NO", ".5x"[1:]])
def test_every_value_is_text(value: str) -> None:
    """What other YAML readers turn into numbers, dates and truth values stays as it is written."""
    content = f"images:\n- image: a.b/c\n  tags: [{value}]\n  note: {value}\n"

    assert read_list(content, "-").entries == (Target(parse_reference(f"a.b/c:{value}"), Source("-", 2), value),)


def test_the_order_of_keys_does_not_matter() -> None:
    """`registry` holds for images before it, `note` and `tags` may stand before `image`."""
    content = "images:\n- app:1\n- tags: [2, '3*']\n  image: team/app\nprotect: []\nregistry: localhost:5000\n"

    assert _shown(read_list(content, "f")) == [
        "localhost:5000/app:1 f:2",
        "localhost:5000/team/app:2 f:3",
        "localhost:5000/team/app:3* f:3",
    ]


def test_flow_style_and_json_are_yaml() -> None:
    """A list written by a JSON library reads as well."""
    assert _shown(read_list('{"images": ["a.b/c:1", {"image": "a.b/c", "tags": ["2"]}]}', "f")) == [
        "a.b/c:1 f:1",
        "a.b/c:2 f:1",
    ]


def test_no_registry_is_needed_where_all_references_have_a_host() -> None:
    """The long form without `registry`."""
    assert _shown(read_list("images:\n- a.b/c:1\n", "f")) == ["a.b/c:1 f:2"]


def test_the_default_port() -> None:
    """With plain HTTP, `:80` is left out of hosts."""
    content = "registry: a.b:80\nprotect: ['c.d:80/x:*']\nimages: [c:1, 'c.d:80/e:1']\n"
    listed = read_list(content, "f", default_port=80)

    assert _shown(listed) == ["a.b/c:1 f:3", "c.d/e:1 f:3"]
    assert listed.protect[0].protects(parse_reference("c.d/x:1").repository, "1")


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf- a.b/c:1\n", "\ufeff- a.b/c:1\n", b"- a.b/c:1\r\n", b"---\n- a.b/c:1\n..."]
)
def test_byte_order_marks_and_line_ends(content: bytes | str) -> None:
    """A byte order mark, the line ends of Windows and document marks change nothing."""
    assert [entry.source and entry.source.line for entry in read_list(content, "f").entries] in ([1], [2])


BAD = [
    # nothing to read
    ("", "1:1: an empty file"),
    ("# nothing\n", "1:1: an empty file"),
    ("---\n", "2:1: an empty value"),
    ("[]", "1:1: an empty list of images"),
    ("images: []", "1:9: an empty list of images"),
    ("registry: a.b\n", "1:1: no `images:` in the file"),
    ("'a.b/c:1'\n", "1:1: a text, where a list of images should be; write a list, each line with '- '"),
    ("images: a.b/c:1\n", "1:9: no list, where the list of images should be"),
    # entries
    ("- a.b/c:1\n-\n", "2:2: an empty value"),
    ("- ''\n", "1:3: an empty value"),
    ("- a.b/c\n", "1:3: 'a.b/c' has neither a tag nor a digest"),
    ("- app:1\n", "1:3: 'app:1' does not name its registry; write docker.io/app:1 in full, or use the long form"),
    ("- app*:1\n", "1:3: 'app*:1' does not name its registry"),
    (
        "images:\n- app:1\n",
        "2:3: 'app:1' does not name its registry; write docker.io/app:1 in full, or set `registry:`",
    ),
    (
        "- repo: tag\n",
        "1:3: unknown key 'repo'; the keys here are image, tags, exclude, exclude-match, match,",
    ),
    ("- a.b/c: 1.10\n", "write it without a blank after the colon: a.b/c:1.10"),
    ("- a.b/c: [x]\n", "write it without a blank after the colon: a.b/c:TAG"),
    ("- a.b/c:1\n  a.b/c:2\n", "1:3: 'a.b/c:1 a.b/c:2' has blanks in it"),
    ("- - a.b/c:1\n", "1:3: a list inside the list of images"),
    ("- imag: a.b/c:1\n", "1:3: unknown key 'imag'; did you mean image?"),
    ("- note: x\n", "1:3: an entry without `image:`"),
    ("- image: [a.b/c:1]\n", "1:10: a list or a mapping, where one text should be"),
    ("- image:\n", "1:9: an empty value"),
    ("- image: a.b/c:1\n  note:\n", "2:8: an empty value"),
    ("- image: a.b/c:1\n  exclude: [x]\n", "1:10: 'a.b/c:1' is not a pattern, so there is nothing to exclude"),
    ("- image: a.b/c:*\n  exclude: x\n", "2:12: no list, where the list of exclude should be"),
    ("- image: a.b/c:*\n  exclude: ['[']\n", "2:13: '[' has a '[' without its partner"),
    ("- image: a.b/c:*\n  exclude: [{a: b}]\n", "2:13: a list or a mapping, where one text should be"),
    ("- image: a.b/c\n  tags: []\n", "2:9: an empty list of tags"),
    ("- image: a.b/c\n  tags: [a b]\n", "2:10: 'a b' is not a tag"),
    ("- image: a.b/c:1\n  tags: [2]\n", "1:10: 'a.b/c:1' has a tag, and tags beside it"),
    # the head of the long form
    ("registry: [a.b]\nimages: [c:1]\n", "1:11: a list or a mapping, where one text should be"),
    ("registry: https://a.b\nimages: [c:1]\n", "1:11: 'https://a.b' is not a registry host"),
    ("images: [c:1]\nregistry: a/b\n", "2:11: 'a/b' is not a registry host"),
    ("registry: user:secret@a.b\nimages: [c:1]\n", "1:11: '***@a.b' is not a registry host"),
    (
        "protect: [latest]\nimages: [a.b/c:1]\n",
        "1:11: 'latest' does not say which tags; write latest:* for all tags, or *:latest for that tag everywhere",
    ),
    ("protect: '*:1'\nimages: [a.b/c:1]\n", "1:10: no list, where the list of protect should be"),
    ("protect:\nimages: [a.b/c:1]\n", "1:9: an empty value"),
    ("protects: ['*:1']\nimages: [a.b/c:1]\n", "1:1: unknown key 'protects'; did you mean protect?"),
    (
        "insecure: true\nimages: [a.b/c:1]\n",
        "1:1: unknown key 'insecure'; the keys here are registry, protect, in-use, min-keep, images",
    ),
    # what YAML can do and a list must not
    ("images: [a.b/c:1]\nimages: [a.b/c:2]\n", "2:1: the key 'images' is here a second time, first in line 1"),
    ("- {image: a.b/c:1, note: x, note: y}\n", "1:29: the key 'note' is here a second time"),
    ("- &x a.b/c:1\n", "1:3: &x is an anchor of YAML"),
    ("- &x\n", "1:3: &x is an anchor of YAML"),
    ("- &x {image: a.b/c:1}\n", "1:3: &x is an anchor of YAML"),
    (
        "- *x\n",
        "1:3: *x is an alias of YAML; there are no aliases here; a pattern that starts with * needs quotes: '*x'",
    ),
    ("- !!str a.b/c:1\n", "1:3: a tag of YAML (!...)"),
    ("- ! a.b/c:1\n", "1:3: a tag of YAML (!...)"),
    ("!!seq\n- a.b/c:1\n", "1:1: a tag of YAML (!...)"),
    ("<<: {a: b}\nimages: [a.b/c:1]\n", "1:1: a merge key of YAML (<<)"),
    ("[a]: b\nimages: [a.b/c:1]\n", "1:1: a key that is not text"),
    ("{a: b}: c\nimages: [a.b/c:1]\n", "1:1: a key that is not text"),
    ("? \n: c\nimages: [a.b/c:1]\n", "an empty value"),
    ("--- [a.b/c:1]\n--- [a.b/c:2]\n", "2:5: a second document (---) in one file"),
    ("[" * 20 + "]" * 20, "1:9: lists inside lists, too deep"),
    ("[" * 500 + "]" * 500, "1:9: lists inside lists, too deep"),
    ("- [{a: [{b: [{c: [{d: [1, [2], *x]}]}]}]}]\n- a.b\n", "2:3: 'a.b' has neither a tag nor a digest"),
    # what is no YAML
    ("- *.x/a:1\n", "1:3: not readable as YAML: while scanning an alias"),
    ("- a.b/c:1\n- @x\n", "2:3: not readable as YAML"),
    ("- `x`\n", "put a value that starts with one of * & ! % @ ` { [ | > in quotes"),
    ("- %x\n", "1:3: not readable as YAML"),
    ("- {a,b}/x:1\n", "1:8: not readable as YAML"),
    ("- 'a.b/c:1\n- x\n", "1:3: not readable as YAML: while scanning a quoted scalar"),
    ("- a.b/c:1\n\t- x\n", "not readable as YAML"),
    ("- a: b: c\n", "1:7: not readable as YAML: mapping values are not allowed"),
    ("- a.b/c:1\nimages: x\n", "2:1: not readable as YAML"),
    ("- a.b/c:1\n- a\x01b\n", "2:4: not readable as YAML: control characters are not allowed"),
    (b"- a.b/c:1\n- \xc3\xa9\0b\n", "2:4: not readable as YAML: control characters are not allowed"),
    (b"- a.b/c:1\n- \xc3\xa9x\xe9x\n", "2:5: not UTF-8"),
    ("- a.b/c:1\n- \ud800\n", "2:3: not UTF-8"),
    ("- a.b/c:1\n".encode("utf-16"), "1:1: not UTF-8"),
    ("- a.b/c:1\n".encode("utf-16-be"), "1:1: a NUL character, as UTF-16 and binary files have; save the file as text"),
    ("a.b/c:1\na.b/d:1\n".encode("utf-16-le"), "1:1: a NUL character"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_a_mistake_names_its_place(content: bytes | str, message: str) -> None:
    """Each mistake names file, line and column, what is wrong and what to write."""
    with pytest.raises(InputError) as caught:
        read_list(content, "images.yaml")

    shown = str(caught.value)
    assert message in shown
    assert all(line.startswith("images.yaml:") for line in shown.splitlines())
    assert "secret" not in shown


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    """Reading goes on after a mistake, up to the end or to what is no YAML."""
    content = """\
images:
- app
- image: a.b/c
  tags: [1, "[", x y]
  exclude: ["{"]
  nota: x
- user:secret@a.b/c:*
- https://user:secret@a.b/c: 1
protect: [x]
register: a.b
images: []
"""
    with pytest.raises(InputError) as caught:
        read_list(content, "f")

    assert [problem.where for problem in caught.value.problems] == [
        *("f:2:3", "f:4:13", "f:4:18", "f:5:13", "f:6:3", "f:7:3", "f:8:3", "f:9:11", "f:10:1", "f:11:1"),
    ]
    assert "secret" not in str(caught.value)


def test_what_stands_before_unreadable_yaml_is_checked() -> None:
    """Where the file breaks off, a missing host is no mistake: `registry` may come behind."""
    with pytest.raises(InputError) as caught:
        read_list("images:\n- app:1\n- app\n- *.x\nregistry: a.b\n", "f")

    assert [problem.where for problem in caught.value.problems] == ["f:3:3", "f:4:3"]


def test_a_bad_registry_is_one_mistake() -> None:
    """It is not repeated for each reference that needs it."""
    with pytest.raises(InputError) as caught:
        read_list("registry: a/b\nimages: [c:1, d:1]\n", "f")

    assert len(caught.value.problems) == 1


def test_a_bad_tag_does_not_make_exclude_a_mistake() -> None:
    """Perhaps it was meant as the pattern from which to exclude."""
    with pytest.raises(InputError) as caught:
        read_list("- {image: a.b/c, tags: [1, '['], exclude: [x]}\n", "f")

    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("key", ["tag: [1]", "Tags: [1]", "mach: 'x'", "untaged: true"])
def test_a_misspelt_key_is_one_mistake(key: str) -> None:
    """Where the key that is to choose tags is misspelt, the image without a tag is no second mistake."""
    with pytest.raises(InputError) as caught:
        read_list(f"images:\n- image: a.b/c\n  {key}\n- a.b/c\n", "f")

    assert [problem.where for problem in caught.value.problems] == ["f:3:3", "f:4:3"]


def test_too_many_mistakes_end_the_reading() -> None:
    """What is shown stays readable, and says that there may be more."""
    with pytest.raises(InputError) as caught:
        read_list("- a\n" * 50, "f", limits=Limits(mistakes=3))

    assert [str(problem) for problem in caught.value.problems][3:] == [
        "f:3:3: too many mistakes, the rest of the file was not read"
    ]


def test_too_many_mistakes_are_said_once() -> None:
    """Images that wait for `registry` add none to them."""
    with pytest.raises(InputError) as caught:
        read_list("images:\n- a\n- b\n- [x]\n- [x]\n- [x]\nregistry: a.b\n", "f", limits=Limits(mistakes=3))

    assert [problem.where for problem in caught.value.problems] == ["f:4:3", "f:5:3", "f:6:3", "f:6:3"]


def test_a_file_has_a_largest_size() -> None:
    """A larger one is not read at all."""
    with pytest.raises(InputError, match="f:1:1: larger than 5 bytes; cut it into several files"):
        read_list("- a.b/c:1\n", "f", limits=Limits(size=5))


def test_a_file_has_a_largest_number_of_values() -> None:
    """Reading stops at it."""
    assert len(read_list("- a.b/c:1\n" * 3, "f", limits=Limits(values=4)).entries) == 3
    with pytest.raises(InputError, match="f:4:3: more than 4 values in one file"):
        read_list("- a.b/c:1\n" * 9, "f", limits=Limits(values=4))


def _shown(listed: ListFile) -> list[str]:
    return [
        f"{entry.reference if isinstance(entry, Target) else entry.text} {entry.source}" for entry in listed.entries
    ]
