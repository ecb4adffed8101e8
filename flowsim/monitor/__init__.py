"""The integrity monitor: rules over observations, alerts, incidents, and a score against the truth.

It sees what ``observe`` lets through and nothing else: of flowsim it imports ``observe``, ``vocabulary``,
``units`` and ``errors`` only.
"""
