"""``plangate serve``: the gate over HTTP. See docs/adr/0022-server.md for the processes and what each may do."""
