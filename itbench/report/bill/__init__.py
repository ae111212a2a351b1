"""Pictures of a cost anomaly: over time, as a waterfall, and by hierarchy."""
