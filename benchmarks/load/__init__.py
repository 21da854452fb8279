"""Many users at once for minutes: errors, memory, events that are missing, and everybody's share."""
