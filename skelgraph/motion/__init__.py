"""What is computed from poses over time: filters and paths."""
