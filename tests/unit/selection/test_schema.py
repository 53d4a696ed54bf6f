"""The JSON Schema of the list file agrees with the reader."""

import jsonschema
import pytest
import yaml

from bulkrm.model.errors import InputError
from bulkrm.selection.listfile.document import ENTRY_KEYS, TOP_KEYS, read_list
from bulkrm.selection.listfile.schema import list_file_schema

VALIDATOR = jsonschema.Draft202012Validator(list_file_schema())

GOOD = [
    "- a.b/c:1\n- a.b/c:pr-*\n",
    "- a.b/c:1\n- {image: a.b/c:pr-*, exclude: [1, '*-keep'], note: 2020}\n",
    "registry: a.b\nprotect: ['*:latest']\nimages:\n- c:1\n- {image: c, tags: [1.10, 012, on], exclude: [], note: x}\n",
]
BAD = [
    "[]",
    "text",
    "images: []",
    "registry: a.b",
    "images: a.b/c:1",
    "images: [a.b/c:1]\nimage: x",
    "images: [a.b/c:1]\nprotect: '*:latest'",
    "- c: 1",
    "- [a.b/c:1]",
    "- {note: x}",
    "- {image: a.b/c, tags: []}",
    "- {image: a.b/c, tags: x}",
    "- {image: a.b/c:1, tag: x}",
    "- ''",
]


def test_the_schema_is_a_schema() -> None:
    """It is valid by the meta-schema of its draft."""
    jsonschema.Draft202012Validator.check_schema(list_file_schema())


@pytest.mark.parametrize("content", GOOD)
def test_good_files_fit(content: str) -> None:
    """What the reader takes, the schema takes, as an editor's YAML parser sees it."""
    read_list(content, "images.yaml")

    VALIDATOR.validate(yaml.safe_load(content))


@pytest.mark.parametrize("content", BAD)
def test_bad_files_do_not_fit(content: str) -> None:
    """Mistakes of structure are mistakes for both."""
    with pytest.raises(InputError):
        read_list(content, "images.yaml")

    assert not VALIDATOR.is_valid(yaml.safe_load(content))


def test_the_keys_are_those_of_the_reader() -> None:
    """The schema names every key that the reader knows, and describes it."""
    definitions = list_file_schema()["$defs"]

    assert tuple(definitions["long"]["properties"]) == TOP_KEYS
    assert tuple(definitions["entry"]["properties"]) == ENTRY_KEYS
