"""The parts of `pfdoctor lab` and of walks in the lab, one file each."""
