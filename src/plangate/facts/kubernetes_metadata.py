"""What every Kubernetes object says of itself: its namespace."""

from plangate.facts.base import Values, text
from plangate.facts.kubernetes_types import inside
from plangate.model.values import Unknown


def namespace_of(values: Values) -> str | Unknown:
    """The namespace, empty when it is not said: whoever applies it then decides."""
    return text(inside(values, "metadata", "namespace"))
