"""The stages of a study, each from what lies on disk to what it leaves there."""
