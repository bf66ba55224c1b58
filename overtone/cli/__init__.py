"""DOORS: what people and other programs come in by. Only this room prints, and only it decides on exit codes."""
