"""The Merkle tree of RFC 6962, as RFC 9162 section 2.1 restates it. Pure: bytes in, bytes out.

The rules this module keeps:

1. A leaf is hashed as ``SHA-256(0x00 || record)`` and a node as ``SHA-256(0x01 || left || right)``, so that
   no record can pass for a node.
2. A node that covers a full power of two leaves never changes once it exists. Only those are ever stored;
   every root and proof of every past size is computed from O(log n) of them.
3. A proof is accepted only when it has exactly the length that its index and sizes ask for.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from plangate.errors import AuditError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""``(level, position)`` to the hash of a full node: the ``position``-th group of ``2 ** level`` leaves."""


class ProofError(AuditError):
    """A Merkle proof that does not prove what it was handed in for."""


def leaf_hash(record: bytes) -> bytes:
    """The hash of one record as a leaf."""
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over two child hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier(Struct, frozen=True, kw_only=True):
    """All that is needed to append to a tree of ``size`` leaves.

    Attributes:
        size: Leaves so far.
        hashes: Hashes of the full subtrees that make up the tree, from left (largest) to right; one for each
            bit that is set in ``size``.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> tuple["Frontier", tuple[bytes, ...]]:
        """Add one leaf.

        Returns:
            The new frontier, and the full nodes that this leaf completed: its own hash, then
            levels 1, 2, …
        """
        hashes = list(self.hashes)
        nodes = [leaf]
        remaining = self.size
        while remaining & 1:
            nodes.append(node_hash(hashes.pop(), nodes[-1]))
            remaining >>= 1
        hashes.append(nodes[-1])
        return Frontier(size=self.size + 1, hashes=tuple(hashes)), tuple(nodes)

    def root(self) -> bytes:
        """The root hash of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def frontier_at(size: int, node: NodeReader) -> Frontier:
    """The frontier of the tree's first ``size`` leaves, from stored nodes."""
    hashes = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            hashes.append(node(level, start >> level))
            start += 1 << level
    return Frontier(size=size, hashes=tuple(hashes))


def root_at(size: int, node: NodeReader) -> bytes:
    """The root of the tree's first ``size`` leaves, from stored nodes."""
    return frontier_at(size, node).root()


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """The audit path of leaf ``index`` in the tree of ``size`` leaves, from the leaf upwards.

    Raises:
        ProofError: There is no such leaf in that tree.

    Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size:
        raise ProofError(f"inclusion proof: no record {index} in a log of {size}")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(_subtree(middle, stop, node))
            stop = middle
        else:
            path.append(_subtree(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, node: NodeReader) -> tuple[bytes, ...]:
    """The proof that the tree of ``old`` leaves is the beginning of the tree of ``new`` leaves.

    Returns:
        Empty when ``old`` is 0 or equal to ``new``.

    Raises:
        ProofError: ``old`` is larger than ``new``, or negative.

    Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 <= old <= new:
        raise ProofError(f"consistency proof: no way from {old} to {new} records")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, stop = 0, new
    known = True  # the old tree is a whole subtree here, whose hash the verifier has already
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(_subtree(middle, stop, node))
            stop = middle
        else:
            path.append(_subtree(start, middle, node))
            start = middle
            known = False
    if not known:
        path.append(_subtree(start, stop, node))
    return tuple(reversed(path))


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that ``leaf`` is leaf number ``index`` of the tree with ``size`` leaves and that ``root``.

    Raises:
        ProofError: It is not, or the proof is malformed.

    Source: RFC 9162 section 2.1.3.2; the step numbers are the RFC's.
    """
    # 1. The index must be inside the tree.
    if not 0 <= index < size:
        raise ProofError(f"inclusion proof: no record {index} in a log of {size}")
    # 2.-4. Fold each hash of the path in.
    computed = leaf
    for sibling, on_the_left in _climb("inclusion proof", index, size - 1, proof):
        computed = node_hash(sibling, computed) if on_the_left else node_hash(computed, sibling)
    # 5. The root must be the one that was signed.
    if computed != root:
        raise ProofError("inclusion proof: does not lead to the root hash")


def verify_consistency(
    *, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``old`` leaves is the beginning of the tree of ``new`` leaves.

    Raises:
        ProofError: It is not, or the proof is malformed.

    Source: RFC 9162 section 2.1.4.2; the step numbers are the RFC's.
    """
    if not 0 <= old <= new:
        raise ProofError(f"consistency proof: no way from {old} to {new} records")
    if old in (0, new):
        if proof or old_root != (EMPTY_ROOT if old == 0 else new_root):
            raise ProofError("consistency proof: the older root hash is not that of this log")
        return
    # 1. An empty proof proves nothing here.
    if not proof:
        raise ProofError("consistency proof: too short")
    # 2. When the old tree is a full subtree, its root starts the path.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    # 3.-4. Skip the levels where the old tree's right edge is a right child.
    first, last = old - 1, new - 1
    while first & 1:
        first >>= 1
        last >>= 1
    # 5.-6.
    first_root = second_root = path[0]
    for sibling, on_the_left in _climb("consistency proof", first, last, path[1:]):
        if on_the_left:
            first_root = node_hash(sibling, first_root)
            second_root = node_hash(sibling, second_root)
        else:
            second_root = node_hash(second_root, sibling)
    # 7.
    if first_root != old_root:
        raise ProofError("consistency proof: the older root hash is not that of this log")
    if second_root != new_root:
        raise ProofError("consistency proof: does not lead to the newer root hash")


class Tree:
    """A whole tree in memory: every full node, level by level. About 64 bytes of hashes a leaf."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = []
        self._frontier = Frontier()

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._frontier.size

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash and return its index."""
        index = self._frontier.size
        self._frontier, nodes = self._frontier.append(leaf)
        for level, node in enumerate(nodes):
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(node)
        return index

    def node(self, level: int, position: int) -> bytes:
        """The hash of a full node; a `NodeReader`."""
        return self._levels[level][position]

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves; of all when not given."""
        return self._frontier.root() if size is None else root_at(size, self.node)

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """See `inclusion_proof`."""
        return inclusion_proof(index, self._checked(size), self.node)

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """See `consistency_proof`."""
        return consistency_proof(old, self._checked(new), self.node)

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise ProofError(f"no log of {size} records here, only {self.size}")
        return size


def _split(count: int) -> int:
    """The largest power of two below ``count``, for ``count`` of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtree(start: int, stop: int, node: NodeReader) -> bytes:
    """The hash over leaves ``[start, stop)``, where ``start`` is where RFC 9162 would split."""
    count = stop - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_subtree(start, middle, node), _subtree(middle, stop, node))


def _climb(what: str, first: int, last: int, path: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a path with the side it goes to, from node ``first`` of a level that ends with ``last``.

    Yields:
        A hash, and whether it is the left one of the two.

    Raises:
        ProofError: A malformed hash, or a path that is longer or shorter than the way to the root.

    Source: RFC 9162 section 2.1.3.2 step 4 and section 2.1.4.2 step 6.
    """
    for sibling in path:
        if len(sibling) != HASH_SIZE:
            raise ProofError(f"{what}: a hash of {len(sibling)} bytes (expected {HASH_SIZE})")
        if last == 0:
            raise ProofError(f"{what}: too long")
        on_the_left = bool(first & 1) or first == last
        yield sibling, on_the_left
        if on_the_left:
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        first >>= 1
        last >>= 1
    if last:
        raise ProofError(f"{what}: too short")
