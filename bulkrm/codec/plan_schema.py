"""The JSON Schema of a saved plan, which `apply` checks files against, and which documents the fields."""

from typing import Any

from bulkrm.codec.plan_records import PlanRecord
from bulkrm.codec.record import schema_of


def plan_schema() -> dict[str, Any]:
    """Return the schema (draft-07) of version 1."""
    schema = schema_of(PlanRecord, "What `bulkrm plan --out` writes and `bulkrm apply` reads.")
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "A saved plan of bulkrm", **schema}
