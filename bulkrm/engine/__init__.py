"""The run: expand, resolve, judge, execute. Errors become outcomes here, in one place."""
