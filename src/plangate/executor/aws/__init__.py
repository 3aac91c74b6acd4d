"""The executor for AWS: desired state is a CloudFormation template, actual state is read, the difference is a plan.

`planning` compares, `document` writes and reads the plan, `run` brings it about through `engine`, one file in
`handlers` knows how one family of types is read, created, changed and deleted. See docs/adr/0018-aws-executor.md.
"""
