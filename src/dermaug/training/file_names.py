"""Names of the files that trainings write."""

JOURNAL = "journal.jsonl"
CLASSIFIER = "classifier.safetensors"
GENERATOR = "generator.safetensors"
