"""A recipe that turns a look at the data and a number of hours into an experiment."""
