"""Keys of KMS in properties: by id or by ARN."""

from typing import Any

from plangate.errors import ExecutionError


def same_key(wanted: Any, actual: Any) -> bool:
    """Whether an id or ARN of a template is the ARN (or id) that AWS tells."""
    mine, theirs = str(wanted), str(actual)
    return mine == theirs or theirs.endswith(f":key/{mine}") or mine.endswith(f":key/{theirs}")


def not_an_alias(where: str, key: Any) -> None:
    """Refuse an alias where AWS tells the key behind it: whether they are the same could not be seen later.

    Args:
        where: Name of the property.
        key: What the template says; nothing is fine.

    Raises:
        ExecutionError: It is an alias.
    """
    if isinstance(key, str) and (key.startswith("alias/") or ":alias/" in key):
        raise ExecutionError(
            f"{where}: expected the ARN or the id of a key, found the alias {key[:100]!r}",
            hint="name the key itself: AWS tells the key, so a change behind the alias could not be seen",
        )
