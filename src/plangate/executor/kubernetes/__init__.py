"""Kubernetes manifests by server-side apply: dry-run by the API server, judged, and applied as the server foresaw it.

Why it works as it does: docs/adr/0021-kubernetes-apply.md.
"""
