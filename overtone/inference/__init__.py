"""Sound -> answers and timelines, by an exported model; needs neither torch nor the [train] extra."""
