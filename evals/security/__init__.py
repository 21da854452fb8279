"""Attacks of our own on the demo company, by a model that obeys them: `python -m evals.security`.

Each case is data (`cases/*.yaml`): what the user asks, what strangers wrote, and the calls of a model that does the
user's work and obeys the strangers. The verdict is the database's and the wire's: what took place and the user did not
want is the attacker's. The same case without the attacker is its harmless twin, and must get its work done.
"""
