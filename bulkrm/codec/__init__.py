"""The fields of plans, runs, journals and reports as JSON: each stands once, in a record (`record.py` says how)."""
