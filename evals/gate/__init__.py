"""The release gate: how it decides is told in docs/evals-gate.md."""
