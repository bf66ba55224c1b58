"""Recognition of many files: folders, manifests and object storage -> tables, by one machine or a Ray cluster."""
