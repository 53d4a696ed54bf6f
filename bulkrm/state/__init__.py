"""The recorded runs on disk: each a folder with the request, the plan, a journal and the archive of manifests.

    runs/<run>/run.json              the list and the options of the run; written once
    runs/<run>/plan.json             the plan, as `bulkrm plan --out` writes it; written once, before the first DELETE
    runs/<run>/journal.jsonl         intents and outcomes, one a line; only ever appended to
    runs/<run>/manifests.jsonl.gz    the manifests, each once, one a line (`zcat` shows them); only ever appended to
    runs/<run>/lock                  locked by the process that works on the run, until it ends

Version 1. Folders have mode 0700, files 0600. They contain no secrets: no credentials, no tokens, no TLS options.
"""
