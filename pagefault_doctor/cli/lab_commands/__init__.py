"""What `pfdoctor lab` and walks on the lab's machine share: one file for each part."""
