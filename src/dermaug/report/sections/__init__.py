"""The sections of the report, one file for each: functions of a run and its scores."""
