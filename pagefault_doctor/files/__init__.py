"""Files of this machine, opened so that neither their kind nor their size can do harm."""
