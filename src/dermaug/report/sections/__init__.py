"""The sections of the report, one file per section: functions of a run and its scores."""
