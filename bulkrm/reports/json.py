"""The whole report as one JSON object."""

import json

from bulkrm.codec.report_fields import SCHEMA, head, image
from bulkrm.model.result.report import Report
from bulkrm.reports.format import ReportFormat, View, no_line


def whole(report: Report, _: View) -> str:
    """Return the object, with one image on each line, so that reports can be compared line by line."""
    fields = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head(report).items()]
    images = ",\n".join(f"  {json.dumps(image(result), ensure_ascii=False)}" for result in report.images)
    fields.append(f' "images": [\n{images}\n ]' if images else ' "images": []')
    return f'{{"schema": {SCHEMA},\n' + ",\n".join(fields) + "}\n"


FORMAT = ReportFormat("json", "one JSON object, when the run is over", no_line, whole)
