"""What a recorder of a real cluster does: watch objects and events, ask Prometheus, read logs, and write it all down."""
