"""Work that survives the process it began in. See docs/adr/0005-durable-runs-on-dbos.md."""
