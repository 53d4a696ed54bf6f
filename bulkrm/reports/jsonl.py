"""JSON Lines: one object for each image as soon as its outcome is known, and one with the summary at the end."""

import json

from bulkrm.codec.report_fields import head, image
from bulkrm.model.result.report import ImageResult, Report
from bulkrm.reports.format import ReportFormat, View

_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would make one for each line


def line(result: ImageResult) -> str:
    """Return the line of one image."""
    return _encode(image(result)) + "\n"


def whole(report: Report, _: View) -> str:
    """Return the last line: the summary, the run, and all other fields of the report but `images`."""
    fields = head(report)
    return _encode({"summary": fields.pop("summary"), **fields}) + "\n"


FORMAT = ReportFormat("jsonl", "one JSON object a line, as outcomes happen", line, whole)
