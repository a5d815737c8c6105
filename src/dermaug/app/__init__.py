"""The local web page: its room, empty so far."""
