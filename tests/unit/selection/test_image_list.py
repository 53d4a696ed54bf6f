"""What a run is about, as one value."""

import pytest

from bulkrm.model.errors import InputError
from bulkrm.selection.image_list import ImageList, parse_images, parse_list

HOST = "reg.example"


def entries(images: ImageList) -> list[str]:
    """The entries as they are written."""
    return [str(getattr(entry, "reference", None) or getattr(entry, "text", "")) for entry in images.entries]


def test_a_list() -> None:
    """Entries keep their order and their lines; protection and the least number hold for the run."""
    text = f'registry: {HOST}\nprotect: ["*:latest"]\nmin-keep: 3\nimages:\n  - app:1\n  - web:pr-*\n'

    images = parse_list(text, "images.yaml")

    assert entries(images) == [f"{HOST}/app:1", f"{HOST}/web:pr-*"]
    assert [str(entry.source) for entry in images.entries] == ["images.yaml:5", "images.yaml:6"]
    assert [str(pattern) for pattern in images.protect] == ["*:latest"]
    assert (images.hosts, images.min_keep, images.conditions.min_keep) == ((HOST,), 3, 3)


def test_a_plain_list() -> None:
    """Lines of references are a list as well, as text and as bytes."""
    assert entries(parse_list(f"{HOST}/app:1\n{HOST}/app:2\n")) == entries(
        parse_list(f"{HOST}/app:1\r\n{HOST}/app:2\r\n".encode())
    )


def test_files_of_what_is_in_use() -> None:
    """What a file names that the list points to is in use; the caller reads it, by the name in the list."""
    text = f"registry: {HOST}\nin-use: [pods.txt]\nimages: [app:*]\n"
    asked: list[str] = []

    def read_file(name: str) -> bytes:
        asked.append(name)
        return f"{HOST}/app:7\n".encode()

    images = parse_list(text, read_file=read_file)

    assert asked == ["pods.txt"]
    assert images.in_use == (f"{HOST}/app:7",)


def test_nobody_reads_files_of_what_is_in_use() -> None:
    """A list that names such a file is refused where nobody reads it: what it keeps would be deleted."""
    with pytest.raises(InputError, match=r"the list names the file 'pods\.txt'"):
        parse_list(f"registry: {HOST}\nin-use: [pods.txt]\nimages: [app:*]\n")


@pytest.mark.parametrize("content", [None, b"", b"{"])
def test_a_file_of_what_is_in_use_that_cannot_be_read(content: bytes | None) -> None:
    """A file that is not there, or is no list of images, is an error with its place in the list."""

    def read_file(name: str) -> bytes:
        if content is None:
            raise FileNotFoundError(2, "No such file or directory", name)
        return content

    with pytest.raises(InputError) as refused:
        parse_list(f"registry: {HOST}\nin-use: [pods.txt]\nimages: [app:*]\n", "images.yaml", read_file=read_file)

    assert "pods.txt" in str(refused.value)


def test_images_as_arguments() -> None:
    """References and patterns are taken as on the command line, with a host for those without one."""
    images = parse_images(["app:1", "other.example/web:*"], registry="REG.example:443")

    assert entries(images) == [f"{HOST}/app:1", "other.example/web:*"]
    assert [str(entry.source) for entry in images.entries] == ["argument 1", "argument 2"]


def test_lists_add_up() -> None:
    """What either list protects or keeps in use is kept, and the larger least number holds."""
    first = parse_list(f'registry: {HOST}\nprotect: ["*:a"]\nmin-keep: 2\nimages: [app:1]\n')
    second = (
        parse_images([f"{HOST}/app:2"]).protecting("*:b").ignoring_unreadable("*:bad").keeping_in_use(b"x.example/y:1")
    )

    both = first + second

    assert entries(both) == [f"{HOST}/app:1", f"{HOST}/app:2"]
    assert [str(pattern) for pattern in both.protect] == ["*:a", "*:b"]
    assert [str(pattern) for pattern in both.ignore_unreadable] == ["*:bad"]
    assert (both.in_use, both.min_keep) == (("x.example/y:1",), 2)


def test_lists_for_different_ports() -> None:
    """A host without a port means two registries in them, so they do not add up."""
    with pytest.raises(InputError, match="same default_port"):
        _ = parse_images([f"{HOST}/a:1"]) + parse_images([f"{HOST}/a:1"], default_port=80)


def test_a_bad_pattern() -> None:
    """A protect pattern that is none is an error: it would protect nothing."""
    with pytest.raises(InputError, match="protect"):
        parse_images([f"{HOST}/a:1"]).protecting("no-colon")
