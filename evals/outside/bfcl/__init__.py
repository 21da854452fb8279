"""The Berkeley Function-Calling Leaderboard (PyPI `bfcl-eval`, Apache-2.0): its single-turn rows, its own AST checker.

Only its data and its checker are used, from a folder of its own (`make bfcl`): the package itself wants three dozen
clients of model vendors. Categories: Python only; what is to be called nowhere (irrelevance) has no calls to check.
"""
