"""Mutation testing of policies: small faults are put in, and the tests must notice each of them."""
