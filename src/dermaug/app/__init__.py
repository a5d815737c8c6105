"""The local web page of a run (extra `app`)."""
