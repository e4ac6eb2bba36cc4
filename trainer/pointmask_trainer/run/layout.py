"""What lies where in a run folder."""

CONFIG = "config.toml"
STRATEGY = "strategy.jsonl"
LABELS = "labels"
