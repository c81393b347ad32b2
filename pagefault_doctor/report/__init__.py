"""Sessions and diagnoses as text, Markdown, HTML and JSON."""
