#!/usr/bin/env python3
"""Checks what `binnacle ledger head` and `binnacle ledger prove` print, without binnacle.

    ledger_check.py head  --public-key head.pub HEAD.json...
    ledger_check.py proof --public-key head.pub PROOF.json
    ledger_check.py consistency [--public-key head.pub] [--first HEAD.json] [--second HEAD.json] \\
                    CONSISTENCY.json

It shares no code with binnacle. Hashes are RFC 9162: SHA-256 over 0x00 and the leaf's bytes, or over
0x01 and two hashes. A head is signed with Ed25519 over four lines: the words binnacle-head-v1, the
number of rows, the time in milliseconds, the root in hex. Needs Python 3.9 or newer and either
`cryptography` (Debian: python3-cryptography) or PyNaCl (python3-nacl). "-" is standard input.

Exit 0: what it says is so. 1: it is not, and the last line says what. 2: could not be read.
"""
import argparse
import base64
import binascii
import hashlib
import json
import sys


class Wrong(Exception):
    """What was claimed is not so."""


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(hash_, index, size, path):
    """RFC 9162, 2.1.3.2: where the path from a leaf leads."""
    if not 0 <= index < size:
        raise Wrong(f"leaf {index} cannot be in a tree of {size} rows")
    fn, sn = index, size - 1
    for sibling in path:
        if sn == 0:
            raise Wrong("the path is longer than the tree is high")
        if fn & 1 or fn == sn:
            hash_ = node_hash(sibling, hash_)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            hash_ = node_hash(hash_, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Wrong("the path ends before the root")
    return hash_


def check_consistency(first, second, first_root, second_root, path):
    """RFC 9162, 2.1.4.2: the tree of `second` rows begins with that of `first`."""
    if not 0 < first <= second:
        raise Wrong(f"a tree of {second} rows cannot go on from one of {first}")
    if first == second:
        if path or first_root != second_root:
            raise Wrong("two trees of one size have different roots")
        return
    path = list(path)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise Wrong("the path is empty")
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for node in path[1:]:
        if sn == 0:
            raise Wrong("the path is longer than the tree is high")
        if fn & 1 or fn == sn:
            old, new = node_hash(node, old), node_hash(node, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, node)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Wrong("the path ends before the root")
    if old != first_root:
        raise Wrong("the path does not lead to the first root")
    if new != second_root:
        raise Wrong("the path does not lead to the second root")


def read_public_key(path):
    """The 32 bytes of an Ed25519 key out of PEM (RFC 8410)."""
    with open(path, encoding="ascii") as file:
        lines = [line.strip() for line in file]
    der = base64.b64decode("".join(line for line in lines if line and "-----" not in line))
    if len(der) != 44 or der[:12] != bytes.fromhex("302a300506032b6570032100"):
        raise ValueError("not an Ed25519 public key in PEM")
    return der[12:]


def signature_fits(public_key, signature, message):
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey
        try:
            VerifyKey(public_key).verify(message, signature)
            return True
        except (BadSignatureError, ValueError):
            return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def check_head(head, public_key):
    key_id = hashlib.sha256(public_key).hexdigest()[:16]
    if head["key_id"] != key_id:
        raise Wrong(f"signed with key {head['key_id']}; this public key is {key_id}")
    lines = ("binnacle-head-v1", head["tree_size"], head["timestamp_ms"], head["root"])
    message = "".join(f"{line}\n" for line in lines).encode()
    if not signature_fits(public_key, base64.b64decode(head["signature_b64"], validate=True),
                          message):
        raise Wrong(f"the signature of the head over {head['tree_size']} rows does not fit")


def hashes(texts):
    found = [bytes.fromhex(text) for text in texts]
    if any(len(hash_) != 32 for hash_ in found):
        raise ValueError("a hash is 64 hex digits")
    return found


def load(path):
    """Every JSON object in a file: one, or one a line."""
    text = sys.stdin.read() if path == "-" else open(path, encoding="utf-8").read()
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def command_head(args):
    public_key = read_public_key(args.public_key)
    n = 0
    for path in args.files:
        for head in load(path):
            check_head(head, public_key)
            n += 1
    return f"{n} signed head{'s' if n != 1 else ''}"


def command_proof(args):
    public_key = read_public_key(args.public_key)
    n = 0
    for proof in load(args.file):
        head = proof["head"]
        check_head(head, public_key)
        if proof["tree_size"] != head["tree_size"]:
            raise Wrong("the proof and its head are of different sizes")
        hash_ = leaf_hash(base64.b64decode(proof["leaf_b64"], validate=True))
        if hash_.hex() != proof["leaf_hash"]:
            raise Wrong("leaf_hash is not the hash of leaf_b64")
        root = root_of_inclusion(hash_, proof["leaf_index"], head["tree_size"],
                                 hashes(proof["path"]))
        if root.hex() != head["root"]:
            raise Wrong("the path does not lead to the signed root")
        n += 1
    return f"row {proof['leaf_index']} of {head['tree_size']}" if n == 1 else f"{n} rows"


def command_consistency(args):
    proof, = load(args.file)
    for side, path in (("first", args.first), ("second", args.second)):
        for head in load(path) if path else ():
            if args.public_key:
                check_head(head, read_public_key(args.public_key))
            if (head["tree_size"], head["root"]) != (proof[side], proof[side + "_root"]):
                raise Wrong(f"the {side} tree of the proof is not that of {path}")
    first_root, second_root = hashes((proof["first_root"], proof["second_root"]))
    check_consistency(proof["first"], proof["second"], first_root, second_root,
                      hashes(proof["path"]))
    return f"the tree of {proof['second']} rows begins with that of {proof['first']}"


def main():
    parser = argparse.ArgumentParser(description="Checks proofs out of a binnacle ledger.")
    commands = parser.add_subparsers(dest="command", required=True)
    head = commands.add_parser("head", help="signatures of heads")
    head.add_argument("--public-key", required=True)
    head.add_argument("files", nargs="+")
    proof = commands.add_parser("proof", help="that a row is under a signed head")
    proof.add_argument("--public-key", required=True)
    proof.add_argument("file")
    consistency = commands.add_parser("consistency", help="that a tree goes on from another")
    consistency.add_argument("--public-key")
    consistency.add_argument("--first", help="head file of the first tree")
    consistency.add_argument("--second", help="head file of the second tree")
    consistency.add_argument("file")
    args = parser.parse_args()
    run = {"head": command_head, "proof": command_proof, "consistency": command_consistency}
    try:
        print("ok: " + run[args.command](args))
        return 0
    except Wrong as wrong:
        print(f"WRONG: {wrong}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as problem:
        print(f"cannot be checked: {problem!r}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
