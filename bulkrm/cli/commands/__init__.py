"""The commands: functions that take groups of options and return the exit code."""
