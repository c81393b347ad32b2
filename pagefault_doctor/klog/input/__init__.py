"""From a file to lines: what a log comes packed in, and how it is written."""
