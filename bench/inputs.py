"""What the measured commands read, made once into ``bench/data``: plans, policies, the normalized plan."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from bench import generate, policies, sources
from plangate.facts.registry import with_facts
from plangate.model.document import plan_document, unknown_as_text
from plangate.parsers.base import Input, Limits
from plangate.parsers.terraform_plan import parse

DATA: Final = Path(__file__).resolve().parent / "data"


def plan(resources: int) -> Path:
    """A plan of this many resources. Written every time: it takes seconds, and an old one would lie."""
    path = DATA / f"plan-{resources}.json"
    DATA.mkdir(exist_ok=True)
    generate.write(resources, path)
    return path


def terraform(resources: int) -> Path:
    """A module tree of about this many resources."""
    return sources.terraform(_fresh("terraform"), resources)


def manifests(size: int) -> Path:
    """One file of Kubernetes manifests of about this many bytes."""
    DATA.mkdir(exist_ok=True)
    return sources.manifests(DATA / "manifests.yaml", size)


def repository(files: int) -> Path:
    """A repository of this many files."""
    return sources.repository(_fresh("repository"), files)


def _fresh(name: str) -> Path:
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def rego(spelling: str, number: int = len(policies.POLICIES)) -> Path:
    """The folder of this many policies for ``plangate`` (and OPA) or for ``conftest``."""
    folder = _fresh(f"policies-{spelling}-{number}")
    policies.write(folder / "bench", spelling, number)
    return folder


def normalized(source: Path) -> Path:
    """The plan as Plangate hands it to Rego: the same ``input`` for every engine.

    Making it is Plangate's work and part of its time; OPA and conftest get it for nothing.
    """
    data = source.read_bytes()
    document = Input(name=source.name, data=data, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    read = parse(document, Limits())
    judged = replace(read, resources=with_facts(read.resources))
    path = DATA / f"normalized-{source.stem}.json"
    encoder = msgspec.json.Encoder(enc_hook=unknown_as_text, decimal_format="number")
    path.write_bytes(encoder.encode(plan_document(judged)))
    return path
