"""Policies that were written for conftest, judged as they are: another contract, the same engine and the same care.

`base` says what such a policy set is, `load` reads one, `reads` and `unknown` keep unknown from being taken for absent,
`results` counts as conftest counts, `engine` asks, and `judge` puts it together.
"""
