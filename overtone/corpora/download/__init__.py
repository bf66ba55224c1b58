"""The web -> a corpus on disk, whole and as published."""
