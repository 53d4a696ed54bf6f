"""One JSON object a line: each image as soon as its outcome is known, the summary at the end."""

import json

from bulkrm.model.report import ImageResult, Report
from bulkrm.reports.format import ReportFormat, View
from bulkrm.reports.shape import head, image


def line(result: ImageResult) -> str:
    """Return one image."""
    return json.dumps(image(result), ensure_ascii=False) + "\n"


def whole(report: Report, _: View) -> str:
    """Return the last line: summary, run, and the rest of what is not about one image."""
    fields = head(report)
    return json.dumps({"summary": fields.pop("summary"), **fields}, ensure_ascii=False) + "\n"


FORMAT = ReportFormat("jsonl", "one JSON object a line, as outcomes happen", line, whole)
