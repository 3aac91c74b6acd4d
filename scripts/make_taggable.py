# ruff: noqa: INP001, S607, T201 - a script, not a package; it runs tools from PATH and talks to its user
"""Makes src/plangate/facts/aws_taggable.txt: the types of hashicorp/aws that have tags, from the provider's schema.

Run by hand, where `terraform` and the provider hashicorp/aws 5.100.0 can be had (TF_CLI_CONFIG_FILE may name a mirror).
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).resolve().parent.parent / "src" / "plangate" / "facts" / "aws_taggable.txt"
SOURCE: Final = "registry.terraform.io/hashicorp/aws"
VERSION: Final = "5.100.0"


def main() -> None:
    """Asks the provider and writes the names, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = {"aws": {"source": "hashicorp/aws", "version": VERSION}}
        (Path(folder) / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": wanted}}))
        subprocess.run(
            ["terraform", "init", "-input=false"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        said = subprocess.run(
            ["terraform", "providers", "schema", "-json"], cwd=folder, check=True, capture_output=True
        )
    types = json.loads(said.stdout)["provider_schemas"][SOURCE]["resource_schemas"]
    names = sorted(name for name, schema in types.items() if _has_tags(schema["block"]))
    TARGET.write_text("\n".join(names) + "\n")
    print(f"{len(names)} of {len(types)} types have tags")


def _has_tags(block: dict[str, object]) -> bool:
    attributes, blocks = block.get("attributes"), block.get("block_types")
    return "tags" in (attributes or ()) or "tag" in (blocks or ())


if __name__ == "__main__":
    main()
