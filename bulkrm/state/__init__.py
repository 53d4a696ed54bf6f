"""All that lives on disk: the recorded runs, each a folder with what was asked, a journal and the deleted manifests.

    runs/<run>/run.json              what was asked; written once
    runs/<run>/plan.json             the plan, as `bulkrm plan --out` writes it; written once, before the first DELETE
    runs/<run>/journal.jsonl         what was done, a line each, appended to
    runs/<run>/manifests.jsonl.gz    the manifests, each once, a line each (`zcat` shows them), appended to
    runs/<run>/lock                  held by the process that works on the run; gone with it

Version 1. Folders have mode 0700, files 0600. Nothing in them is secret: no credentials, no tokens, no TLS options.
"""
