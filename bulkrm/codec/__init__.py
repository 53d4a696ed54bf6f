"""The fields of plans, runs, journals and reports as JSON, each declared once in a record (see `record.py`)."""
