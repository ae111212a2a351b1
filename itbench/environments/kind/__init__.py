"""Incidents on a real cluster: kind's nodes as containers, the application's own containers, real controllers."""
