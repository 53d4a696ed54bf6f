"""Whatever is done to a saved plan: it is read as a plan, or refused with an InputError, and nothing else happens."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bulkrm.codec.plan_document import PlanDocument
from bulkrm.codec.plan_reader import read
from bulkrm.codec.plan_writer import write
from bulkrm.model.errors import InputError
from bulkrm.model.settings import Limit, Policy
from bulkrm.reports.plan_view import view
from tests.property.test_planning import Case, cases, limits
from tests.unit.codec.test_planfile import WHOLE

TEXT = write(WHOLE)
_values: Any = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


def try_to_read(text: str | bytes) -> PlanDocument | None:
    """Read it; None where it is refused."""
    try:
        return read(text, "plan.json")
    except InputError:
        return None


@given(st.integers(0, len(TEXT) - 3))
def test_truncated(length: int) -> None:
    """A plan that was cut off anywhere is refused."""
    assert try_to_read(TEXT[:length]) is None


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="utf-8"))
def test_one_character(position: int, character: str) -> None:
    """One other character anywhere: a plan that can be written and shown, or none."""
    document = try_to_read(TEXT[:position] + character + TEXT[position + 1 :])
    if document is not None:
        write(document)
        view(document, 80)


@given(st.data())
def test_one_value(data: st.DataObject) -> None:
    """Another value anywhere: a plan that comes back equal, or none."""
    document = json.loads(TEXT)
    node: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
            node = node[key]
        else:
            break
    node[key] = data.draw(_values)
    found = try_to_read(json.dumps(document))
    if found is not None:
        assert write(read(write(found), "plan.json")) == write(found)


@given(cases(), st.none() | limits)
def test_whatever_is_planned(case: Case, limit: Limit | None) -> None:
    """Every plan that a judgement makes is read back as it was written, whatever a limit keeps of it."""
    text = write(PlanDocument(case.plan(limit), Policy(shared=case.shared, max_delete=limit)))

    assert write(read(text, "plan.json")) == text


@given(st.binary(max_size=100))
def test_any_bytes(content: bytes) -> None:
    """Bytes are no plan."""
    assert try_to_read(content) is None
