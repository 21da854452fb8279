"""AgentDojo's 629 pairs of a task and an injection, through our policy and execution, with a model that obeys both.

`theirs.py` is all that touches the package; `tools.py` makes its functions tools of ours, by the data in a suite's
folder; `gullible.py` is the model, `people.py` who is asked; `pair.py` runs one pair; `score.py` counts.
"""
