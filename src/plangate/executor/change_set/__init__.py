"""The executor for CloudFormation change sets: `creating` makes one and records it, `executor` runs what was judged.

See docs/executor.md, "CloudFormation change sets", and docs/adr/0020-change-sets.md.
"""
