"""Known answers for the tree, and proofs that were tampered with."""

import hashlib

import pytest

from plangate.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    Tree,
    consistency_proof,
    frontier_at,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

# The inputs and roots that Certificate Transparency implementations are tested with since RFC 6962.
LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def a_tree(size: int = 8) -> Tree:
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree.append(leaf_hash(leaf))
    return tree


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Tree().root() == hashlib.sha256(b"").digest() == EMPTY_ROOT


def test_roots_are_those_that_certificate_transparency_knows() -> None:
    tree = a_tree()
    assert [tree.root(size).hex() for size in range(1, 9)] == list(ROOTS)


def test_inclusion_proofs_are_those_that_certificate_transparency_knows() -> None:
    tree = a_tree()
    assert tree.inclusion_proof(0, 1) == ()
    assert [item.hex() for item in tree.inclusion_proof(0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [item.hex() for item in tree.inclusion_proof(5, 8)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [item.hex() for item in tree.inclusion_proof(2, 3)] == [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    ]


def test_consistency_proofs_are_those_that_certificate_transparency_knows() -> None:
    tree = a_tree()
    assert tree.consistency_proof(1, 1) == ()
    assert [item.hex() for item in tree.consistency_proof(1, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [item.hex() for item in tree.consistency_proof(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [item.hex() for item in tree.consistency_proof(2, 5)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_a_record_cannot_pass_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    tree = Tree()
    tree.append(left)
    tree.append(right)
    assert leaf_hash(left + right) != tree.root()
    assert leaf_hash(b"\x01" + left + right) != tree.root()


@pytest.mark.parametrize(("index", "size"), [(8, 8), (0, 0), (-1, 8), (3, 9)])
def test_there_is_no_inclusion_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        a_tree().inclusion_proof(index, size)
    with pytest.raises(ProofError):
        verify_inclusion(leaf=b"\0" * 32, index=index, size=0, proof=(), root=EMPTY_ROOT)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4), (4, 9)])
def test_there_is_no_consistency_proof_backwards_or_beyond(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        a_tree().consistency_proof(old, new)


def test_a_consistency_proof_backwards_is_refused() -> None:
    tree = a_tree()
    with pytest.raises(ProofError, match="no way from 5 to 4"):
        verify_consistency(old=5, new=4, old_root=tree.root(5), new_root=tree.root(4), proof=())
    with pytest.raises(ProofError, match="no way from 5 to 4"):
        consistency_proof(5, 4, tree.node)


def test_every_flipped_dropped_or_added_hash_breaks_an_inclusion_proof() -> None:
    tree = a_tree(7)
    for index in range(7):
        leaf, root = leaf_hash(LEAVES[index]), tree.root()
        proof = tree.inclusion_proof(index, 7)
        forgeries = [(*proof, root), proof[:-1], proof[1:], (root, *proof), (*proof[:-1], proof[-1][:-1])]
        for at in range(len(proof)):
            flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
            forgeries.append((*proof[:at], flipped, *proof[at + 1 :]))
        for forged in forgeries:
            with pytest.raises(ProofError):
                verify_inclusion(leaf=leaf, index=index, size=7, proof=forged, root=root)


def test_an_inclusion_proof_holds_for_its_own_leaf_place_and_root_only() -> None:
    tree = a_tree(7)
    proof = tree.inclusion_proof(2, 7)
    good = {"leaf": leaf_hash(LEAVES[2]), "index": 2, "size": 7, "proof": proof, "root": tree.root()}
    verify_inclusion(**good)  # type: ignore[arg-type]
    for change in ({"leaf": leaf_hash(b"no")}, {"index": 3}, {"size": 4}, {"root": tree.root(6)}):
        with pytest.raises(ProofError):
            verify_inclusion(**good | change)  # type: ignore[arg-type]


def test_every_flipped_dropped_or_added_hash_breaks_a_consistency_proof() -> None:
    tree = a_tree()
    for old in range(1, 8):
        proof = tree.consistency_proof(old, 8)
        forgeries = [(*proof, tree.root()), proof[:-1], (tree.root(), *proof), (*proof[:-1], b"short")]
        for at in range(len(proof)):
            flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
            forgeries.append((*proof[:at], flipped, *proof[at + 1 :]))
        for forged in forgeries:
            with pytest.raises(ProofError):
                verify_consistency(
                    old=old, new=8, old_root=tree.root(old), new_root=tree.root(), proof=forged
                )


def test_a_consistency_proof_holds_for_its_own_two_roots_only() -> None:
    tree = a_tree()
    proof = tree.consistency_proof(5, 8)
    for old_root, new_root in ((tree.root(4), tree.root()), (tree.root(5), tree.root(7))):
        with pytest.raises(ProofError):
            verify_consistency(old=5, new=8, old_root=old_root, new_root=new_root, proof=proof)


def test_equal_sizes_need_equal_roots_and_nothing_needs_the_empty_root() -> None:
    tree = a_tree()
    verify_consistency(old=8, new=8, old_root=tree.root(), new_root=tree.root(), proof=())
    verify_consistency(old=0, new=8, old_root=EMPTY_ROOT, new_root=tree.root(), proof=())
    for old, old_root in ((8, tree.root(7)), (0, tree.root())):
        with pytest.raises(ProofError):
            verify_consistency(old=old, new=8, old_root=old_root, new_root=tree.root(), proof=())
    with pytest.raises(ProofError):
        verify_consistency(old=8, new=8, old_root=tree.root(), new_root=tree.root(), proof=(tree.root(),))


def test_a_frontier_from_stored_nodes_goes_on_as_if_it_had_never_stopped() -> None:
    tree = a_tree()
    for size in range(9):
        resumed, straight = frontier_at(size, tree.node), Frontier()
        for leaf in LEAVES[:size]:
            straight, _ = straight.append(leaf_hash(leaf))
        assert resumed == straight
