"""The tree is the one that RFC 9162 defines, for every size, and proves nothing else."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.audit.merkle import ProofError, Tree, leaf_hash, verify_consistency, verify_inclusion

LEAVES = st.lists(st.binary(max_size=8), max_size=70)


# RFC 9162 section 2.1, written as it stands there: slow, recursive, over the list of all entries.


def mth(d: list[bytes]) -> bytes:
    if not d:
        return hashlib.sha256().digest()
    if len(d) == 1:
        return hashlib.sha256(b"\0" + d[0]).digest()
    k = split(len(d))
    return hashlib.sha256(b"\1" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]  # noqa: FBT003


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def a_tree(entries: list[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    return tree


@given(LEAVES)
def test_every_root_is_the_one_of_the_definition(entries: list[bytes]) -> None:
    tree = a_tree(entries)
    sizes = range(len(entries) + 1)
    assert [tree.root(size) for size in sizes] == [mth(entries[:size]) for size in sizes]


@given(LEAVES.filter(bool), st.data())
def test_every_inclusion_proof_is_the_one_of_the_definition_and_verifies(
    entries: list[bytes], data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    proof = a_tree(entries).inclusion_proof(index, size)
    assert list(proof) == path(index, entries[:size])
    verify_inclusion(
        leaf=leaf_hash(entries[index]), index=index, size=size, proof=proof, root=mth(entries[:size])
    )


@given(LEAVES.filter(bool), st.data())
def test_every_consistency_proof_is_the_one_of_the_definition_and_verifies(
    entries: list[bytes], data: st.DataObject
) -> None:
    new = data.draw(st.integers(1, len(entries)))
    old = data.draw(st.integers(1, new))
    proof = a_tree(entries).consistency_proof(old, new)
    assert list(proof) == subproof(old, entries[:new], True)  # noqa: FBT003
    verify_consistency(
        old=old, new=new, old_root=mth(entries[:old]), new_root=mth(entries[:new]), proof=proof
    )


@given(LEAVES.filter(bool), st.data())
def test_no_other_leaf_index_or_size_verifies(entries: list[bytes], data: st.DataObject) -> None:
    tree = a_tree(entries)
    size = len(entries)
    index = data.draw(st.integers(0, size - 1))
    claimed = data.draw(st.integers(0, size))
    other = data.draw(st.binary(max_size=8))
    proof = tree.inclusion_proof(index, size)
    genuine = claimed < size and entries[claimed] == other and list(proof) == path(claimed, entries)
    if not genuine:
        with pytest.raises(ProofError):
            verify_inclusion(leaf=leaf_hash(other), index=claimed, size=size, proof=proof, root=tree.root())


@given(LEAVES.filter(lambda entries: len(entries) > 1), st.data())
def test_no_history_that_was_changed_is_consistent(entries: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(entries) - 1))
    changed = data.draw(st.integers(0, old - 1))
    forged = [*entries[:changed], entries[changed] + b"!", *entries[changed + 1 :]]
    with pytest.raises(ProofError):
        verify_consistency(
            old=old,
            new=len(entries),
            old_root=mth(entries[:old]),
            new_root=mth(forged),
            proof=a_tree(forged).consistency_proof(old, len(entries)),
        )
