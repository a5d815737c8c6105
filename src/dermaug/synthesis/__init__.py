"""From a trained generator to a folder of labelled images that says where they come from."""
