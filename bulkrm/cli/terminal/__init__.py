"""Input and output: the question, the progress, the files of reports, and the lines after a report."""
