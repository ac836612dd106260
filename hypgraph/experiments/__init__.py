"""From a configuration to a run folder, and from runs to a summary."""
