"""What README and manual say is so: links lead somewhere, and tables have what the code has."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer.main

from bulkrm.cli.command_names import COMMANDS
from bulkrm.cli.commands.app import app
from bulkrm.cli.manual.pages import ManualPage, pages
from bulkrm.cli.options.configuration import RESERVED, is_reserved
from bulkrm.cli.options.layered import options_below
from bulkrm.engine.plan.needs import MAX_NESTED
from bulkrm.families.family import Family, families
from bulkrm.model.result.failure import FailureCode
from bulkrm.model.result.outcome import KeptReason, NotAttemptedReason, Status
from bulkrm.protocol.decision import MAX_SENDS
from bulkrm.protocol.listing.progress import MAX_BYTES, MAX_IDLE, MAX_NAMES, MAX_PAGES, MAX_SECONDS
from bulkrm.protocol.message import MAX_CONFIG, MAX_ERROR, MAX_LIST, MAX_MANIFEST
from bulkrm.protocol.pacing.pace import MAX_PAUSE
from bulkrm.remote.credentials.source import sources
from bulkrm.reports.format import formats
from bulkrm.selection.found_selectors import keys
from bulkrm.selection.in_use.reading import MAX_SIZE
from bulkrm.selection.listfile.schema import list_file_schema
from bulkrm.selection.selector import KeyLevel
from tests.manual.markdown import (
    MANUAL,
    PAGES,
    README,
    ROOT,
    anchors_of,
    blocks_of,
    codes_in,
    links_of,
    name_of,
    prose_of,
    rows_of,
    section_of,
)
from tests.support.command_lines import check_options, commands
from tests.support.help_text import FORMATS

CONTENTS = MANUAL / "README.md"
LINKS = [(page, target) for page in PAGES for target in sorted(set(links_of(page)))]
OPTIONS = {option.name: option for option in options_below(typer.main.get_command(app))}


def page(topic: str) -> Path:
    """A page of the manual."""
    return MANUAL / f"{topic}.md"


def size(number: int) -> str:
    """A number of bytes as the manual writes it."""
    return f"{number // 2**20} MiB" if number >= 2**20 else f"{number // 2**10} KiB"


def first_codes(text: str) -> list[str]:
    """What stands as code in the first cells of a table."""
    return [code for row in rows_of(text) for code in codes_in(row[0])]


# README


def test_the_readme_is_short() -> None:
    """People read it: it has at most 250 lines."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 250


def test_the_readme_has_the_two_commands() -> None:
    """Each stands alone in its block. The first installs what the demo needs, and `.ci/run` takes the second as it is."""
    setup = "python3 -m venv .venv && .venv/bin/pip install -q -e"
    shown = [block.text for block in blocks_of(README) if block.language == "sh"]

    assert shown[:2] == [f"{setup} . && .venv/bin/bulkrm demo\n", f"{setup} '.[dev]' && .venv/bin/pytest -q -n auto\n"]
    assert len(re.findall(r"\.venv/bin/pytest -q -n auto$", README.read_text(encoding="utf-8"), re.MULTILINE)) == 1


def test_the_readme_has_the_six_recipes() -> None:
    """It names those that the manual shows."""
    recipes = re.findall(r"copy of configs/lists/([a-z-]+\.yaml)", page("recipes").read_text(encoding="utf-8"))
    named = [Path(target).name for target in links_of(README) if target.startswith("configs/lists/")]

    assert sorted(named) == sorted(recipes)
    assert len(recipes) == 6


# Contents


def test_the_contents_name_every_page() -> None:
    """The table of contents has each page once, and it is the README's table as well."""
    rows = rows_of(CONTENTS.read_text(encoding="utf-8"))
    links = [
        [cell.replace("(bulkrm/manual/", "(") for cell in row]
        for row in rows_of(section_of(README, "Where to read on"))
    ]

    assert links == rows
    assert sorted(f"{found.topic}.md" for found in pages()) == sorted(
        path.name for path in MANUAL.glob("*.md") if path != CONTENTS
    )


def test_no_page_has_the_name_of_a_command() -> None:
    """`bulkrm help WORD` is one thing only."""
    assert {found.topic for found in pages()} & set(COMMANDS) == set()


@pytest.mark.parametrize("found", pages(), ids=lambda found: found.topic)
def test_a_page_opens_with_what_it_answers(found: ManualPage) -> None:
    """A title, and then a sentence about the page."""
    title, _, rest = found.text.partition("\n\n")

    assert re.fullmatch(r"# [^\n]+", title)
    assert rest.startswith("This page ")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_pages_are_ascii(path: Path) -> None:
    """A terminal without UTF-8 shows them, too."""
    assert path.read_text(encoding="utf-8").isascii()


# Links


@pytest.mark.parametrize(("path", "target"), LINKS, ids=[f"{name_of(path)}-{target}" for path, target in LINKS])
def test_links(path: Path, target: str) -> None:
    """A relative link leads to a file of the project and to a heading of it; an absolute one is HTTPS."""
    parts = urlsplit(target)
    if parts.scheme:
        assert parts.scheme == "https"
        return
    file = (path.parent / parts.path).resolve() if parts.path else path

    assert file.is_relative_to(ROOT)
    assert file.exists()
    assert not parts.fragment or parts.fragment in anchors_of(file)


# Commands


def test_commands_that_are_not_run_are_understood() -> None:
    """Every bulkrm in a block that no test can run, too, is a command line that bulkrm understands."""
    blocks = [block for path in PAGES for block in blocks_of(path) if block.language == "sh" and not block.runs]
    found = [arguments for block in blocks for arguments in commands(block.text)]

    assert found
    for arguments in found:
        check_options(arguments)


def test_options_has_every_command() -> None:
    """The table of the other commands has each."""
    assert sorted(first_codes(section_of(page("options"), "The other commands"))) == sorted({*COMMANDS})


# Outcomes


def test_every_failure_code_is_explained() -> None:
    """The table has a row for each, in alphabetical order, and no other."""
    assert first_codes(section_of(page("outcomes"), "Error codes")) == sorted(FailureCode)


def test_every_status_and_reason_is_explained() -> None:
    """The table has a row for each, and no other."""
    rows = rows_of(section_of(page("outcomes"), "Statuses and reasons"))

    assert {code for row in rows for code in codes_in(row[0])} == set(Status)
    assert {code for row in rows for code in codes_in(row[1])} == {*KeptReason, *NotAttemptedReason, "no-repository"}


def test_every_code_that_the_troubleshooting_names_exists() -> None:
    """It speaks of statuses, reasons and error codes as they are."""
    known = {*FailureCode, *Status, *KeptReason, *NotAttemptedReason, "no-repository"}
    named = {code for row in rows_of(prose_of(page("troubleshooting"))) for code in codes_in(row[0])}

    assert {code for code in named if re.fullmatch(r"[a-z]+(-[a-z]+)*", code)} <= known


def test_every_report_format_is_explained() -> None:
    """The table has a row for each that documents know, and each row is one."""
    text = page("reports").read_text(encoding="utf-8")
    table = text[text.index("| format |") : text.index("On a terminal the text report")]

    assert sorted(first_codes(table)) == sorted(FORMATS)
    assert set(first_codes(table)) <= set(formats())


def test_the_summary_of_a_report() -> None:
    """The report that the manual shows has every status, and its numbers add up to the number of images."""
    (report,) = [json.loads(block.text) for block in blocks_of(page("reports")) if block.language == "json"]

    assert list(report["summary"]) == [status.replace("-", "_") for status in Status]
    assert sum(report["summary"].values()) == len(report["images"])


# Lists


def test_every_key_of_the_list_file_is_explained() -> None:
    """The tables of the two pages have those of the schema, to which only a selector that was added may add others."""
    entry, top = (list_file_schema()["$defs"][name]["properties"] for name in ("entry", "long"))
    own = first_codes(section_of(page("list-files"), "List files"))
    conditions = first_codes(section_of(page("conditions"), "The keys"))

    of_selectors = {*keys(KeyLevel.ENTRY), *keys(KeyLevel.FILE)}
    assert set(conditions) <= of_selectors
    assert {*entry, *top} - of_selectors <= {*own}
    assert len(conditions) >= 14


# Credentials


def test_the_sources_of_credentials() -> None:
    """The numbered list has the files and variables of other tools, in the order in which they are asked."""
    text = section_of(page("credentials"), "What other tools stored")
    listed = re.findall(r"^\d\. (.*)$", text, re.MULTILINE)

    names = [found.value.name for found in sources()][2:7]
    assert len(listed) == len(names)
    for line, name in zip(listed, names, strict=True):
        assert name.replace("`", "") in line.replace("`", "")


# The rows of the table of tools, and the test that tries each in tests/cli/test_credential_sources.py.
TOOLS = {
    "`docker login`": "test_what_another_tool_stored[docker_login-home/.docker/config.json]",
    "`docker login`, with a credential helper": "test_a_real_credential_helper[store]",
    "`podman login`": "test_what_another_tool_stored[podman_login-session/containers/auth.json]",
    "`podman login` with `REGISTRY_AUTH_FILE`": "test_a_file_that_a_tool_was_told[podman]",
    "`podman login HOST/PATH`": "test_a_key_with_a_path_that_podman_wrote",
    "`skopeo login`": "test_what_another_tool_stored[skopeo_login-session/containers/auth.json]",
    "`skopeo login` with `REGISTRY_AUTH_FILE`": "test_a_file_that_a_tool_was_told[skopeo]",
    "`crane auth login`": "test_what_another_tool_stored[crane_login-home/.docker/config.json]",
    "`regctl registry login`": "test_regctl_keeps_its_own",
}


def test_every_row_of_the_tools_has_a_test() -> None:
    """Each row is tried by a test that exists, with the parameters that it has there."""
    rows = rows_of(section_of(page("credentials"), "What other tools stored"))
    source = (ROOT / "tests/cli/test_credential_sources.py").read_text(encoding="utf-8")
    cases = {f"{name}[{case}]" if case else name for name, case in cases_of(ast.parse(source))}

    assert [row[0] for row in rows] == list(TOOLS)
    assert set(TOOLS.values()) <= cases


def cases_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each test with its parameters, as pytest names them."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        found = [decorator for decorator in node.decorator_list if "parametrize" in ast.unparse(decorator)]
        yield node.name, ""
        for decorator in found:
            assert isinstance(decorator, ast.Call)
            for case in ast.literal_eval(names_as_texts(decorator.args[1])):
                parts = case if isinstance(case, tuple) else (case,)
                yield node.name, "-".join(map(str, parts))


def names_as_texts(node: ast.expr) -> ast.expr:
    """Replace names of functions by their texts, as pytest shows them."""

    class Named(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.Constant:
            return ast.Constant(name.id)

    replaced: ast.expr = ast.fix_missing_locations(Named().visit(node))
    return replaced


# Configuration


def test_what_only_the_command_line_can_say() -> None:
    """The page has all of it."""
    forbidden = {name for name, option in OPTIONS.items() if is_reserved(name, option)} | RESERVED
    text = prose_of(page("configuration")).partition("**What only the command line can say.**")[2].partition("\n\n")[0]

    assert {
        "image" if name == "IMAGE" else name.removeprefix("--") for name in re.findall(r"--[a-z-]+|IMAGE", text)
    } == forbidden


def test_the_keys_of_a_host() -> None:
    """The page has all of them."""
    text = prose_of(page("configuration")).partition("The keys of a host are ")[2].partition(".")[0]

    assert set(codes_in(text)) == {name for name, option in OPTIONS.items() if option.rule.at_hosts}


def test_variables_that_are_read_are_in_the_manual() -> None:
    """Every variable of the environment that the code names is in the table, or is one of an option."""
    table = set(first_codes(section_of(page("configuration"), "Other variables")))
    named = set()
    for path in (ROOT / "bulkrm").rglob("*.py"):
        if "sandbox" not in path.parts:
            named |= set(
                re.findall(
                    r'"((?:[A-Z]+_)+(?:DIR|HOME|FILE|CONFIG|PROXY|USERNAME|PASSWORD)|PAGER|CI|TMPDIR)"',
                    path.read_text("utf-8"),
                )
            )

    assert named - {"HOME"} <= table


# Registries


def known_by(family: Family) -> str:
    """What the second column says of a family."""
    ways = [f"`{host}`" for host in family.hosts]
    ways += ["its answer to `GET /v2/`"] if family.detect else []
    ways += ["its error codes"] if family.traits.refusals and not family.is_standard_elsewhere else []
    return ", ".join(ways)


def test_every_family_is_in_the_table() -> None:
    """The table has them in the order of their names, with what each is known by; whoever adds one may add a row."""
    text = page("registries").read_text(encoding="utf-8")
    table = text[text.index("| family |") : text.index("For these the protocol is enough")]
    expected = [
        [family.name, known_by(family)] for family in sorted(families(), key=lambda family: family.name.lower())
    ]

    rows = [row[:2] for row in rows_of(table)]

    assert rows == [row for row in expected if row in rows]
    assert len(rows) >= 9


# Limits


@pytest.mark.parametrize(
    ("what", "bound"),
    [
        ("sends of one request", f"{MAX_SENDS}, "),
        ("a pause that a registry asks for", f"{MAX_PAUSE / 60:.0f} minutes, "),
        ("a manifest", size(MAX_MANIFEST)),
        ("the configuration of an image", size(MAX_CONFIG)),
        ("an error message, a token", size(MAX_ERROR)),
        ("a page of a listing", size(MAX_LIST)),
        ("all pages of a listing", f"{size(MAX_BYTES)}, {MAX_NAMES:,} names, {MAX_PAGES:,} pages"),
        ("a listing", f"{MAX_IDLE / 60:.0f} minutes without a new name, {MAX_SECONDS / 3600:.0f} hours in all"),
        ("indexes in indexes", f"8 levels, {MAX_NESTED:,} in one repository"),
        ("a file of what is in use", size(MAX_SIZE)),
    ],
)
def test_limits(what: str, bound: str) -> None:
    """The table has the bounds that the code has."""
    rows = dict(rows_of(page("limits").read_text(encoding="utf-8")))

    assert rows[what].startswith(bound)
