"""What pages show of incidents: read models, made of few queries and plain values. They change nothing."""
