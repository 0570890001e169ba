"""Agents: which shim runs one, how it is run, what it is asked (spec 07 §§4-7).

Knows nothing of jobs: functions with typed inputs and results, on which the node operations stand.
"""
