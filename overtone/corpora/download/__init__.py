"""Downloads corpora from the web and verifies corpus folders."""
