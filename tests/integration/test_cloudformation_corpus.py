"""Real templates of many makers: each is read in full, or refused for a reason that is listed here."""

import csv
import json
import re
from functools import cache
from typing import Any, Final

import pytest
import yaml

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.model.plan import Plan
from plangate.parsers.base import Limits, Options
from plangate.parsers.cloudformation import FORMAT
from plangate.rules.evaluate import evaluate
from plangate.rules.registry import RULES
from tests.cloudformation import documents
from tests.tools import SHARED

FOLDER: Final = "cloudformation/"
NOT_A_TEMPLATE: Final = "not recognized as a template"
REFUSED: Final = {
    # Not templates: what a macro is called with, test cases for a rule language, and text.
    "aws-cloudformation__aws-cloudformation-templates/CloudFormation/MacrosExamples/Count/event.json": NOT_A_TEMPLATE,
    "aws-cloudformation__cloudformation-guard/guard-examples/cross-account/sns-cross-account-t-parameterized-tests.yaml":
        NOT_A_TEMPLATE,
    "aws-cloudformation__cloudformation-guard/guard-examples/deployment-safety/ecs-taskdef-tests.yaml": NOT_A_TEMPLATE,
    "aws-cloudformation__cloudformation-guard/guard/resources/validate/output-dir/structured.json": NOT_A_TEMPLATE,
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/string.yaml": NOT_A_TEMPLATE,
    # Written for another tool, which replaces its own tags before CloudFormation sees the template.
    "aws-cloudformation__aws-cloudformation-templates/CloudFormation/MacrosExamples/DateFunctions/date.yaml":
        "line 41 column 18: unknown tag !Rain::Embed",
    "aws-cloudformation__aws-cloudformation-templates/ElastiCache/Elasticache-snapshot.yaml":
        "line 220 column 18: unknown tag !Rain::Embed",
    "aws-cloudformation__aws-cloudformation-templates/RainModules/bucket.yml":
        "line 62 column 11: unknown tag !Rain::Module",
    # Wrong on purpose: CloudFormation takes none of these.
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/conditions.yaml":
        "line 84 column 5: expected the name of a condition",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/core/config_invalid_json.json":
        "line 8 column 6: not JSON: expecting ',' delimiter",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/core/config_invalid_yaml.yaml":
        "line 8 column 7: not YAML: while parsing a block mapping did not find expected key",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/core/parse_invalid_map.yaml":
        "line 18 column 41: a key with the tag !ImportValue",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/duplicate.json":
        'line 17 column 3: duplicate key "MySNSTopic"',
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/duplicate.yaml":
        "line 9 column 3: duplicate key 'mySnsTopic'",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/json_parse.json":
        "line 5 column 11: not JSON: expecting ':' delimiter",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/resources_circular_dependency.yaml":
        "line 23 column 3: circular dependency between resources: mySecurityGroupVpc1, mySecurityGroupVpc2",
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/templates/base_null.yaml":
        "line 3 column 1: a template without resources",
    "aws-cloudformation__cloudformation-guard/guard/resources/validate/malformed-template.yaml":
        "line 14 column 23: not YAML: mapping values are not allowed in this context",
    "bridgecrewio__checkov/tests/cloudformation/runner/resources/invalid.json":
        "line 145 column 1: not JSON: expecting ',' delimiter",
    "bridgecrewio__checkov/tests/cloudformation/runner/resources/invalid.yaml":
        "line 12 column 11: duplicate key 'SslSupportMethod'",
    "bridgecrewio__checkov/tests/cloudformation/runner/resources/invalid_properties.yaml":
        "line 4 column 5: resource InvalidProperties: expected an object with its properties",
    "stelligent__cfn_nag/spec/test_templates/yaml/vulgar_bad_syntax.yml":
        "line 3 column 15: not YAML: mapping values are not allowed in this context",
    "tenable__terrascan/pkg/iac-providers/cft/v1/testdata/deploy.yaml":
        "line 28 column 22: not YAML: while scanning an alias did not find expected alphabetic or numeric character",
}  # fmt: skip
LEFT_OUT: Final = {
    # Its condition compares a default with another value, and is false.
    "aws-cloudformation__cfn-lint/test/fixtures/templates/good/functions/relationship_conditions_sam.yaml": 1,
}
"""Resources whose condition is false."""
READ_ALTHOUGH_BAD: Final = {
    # Well-formed; what is wrong in it is unknown here: properties that its types do not have.
    "aws-cloudformation__cfn-lint/test/fixtures/templates/bad/generic.yaml",
}


@cache
def rows() -> dict[str, tuple[str, str]]:
    """Path below the folder → format and what is said of it."""
    if not (SHARED / "corpus" / "INDEX.tsv").is_file():
        return {}
    with (SHARED / "corpus" / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        return {
            row["path"].removeprefix(FOLDER): (row["format"], row["interesting"])
            for row in csv.DictReader(index, delimiter="\t")
            if row["format"].startswith("cloudformation")
        }


def parsed(name: str) -> Plan:
    data = (SHARED / "corpus" / FOLDER / name).read_bytes()
    read = documents(data, name)
    if not FORMAT.recognizes(read.values):
        raise PlanParseError(name, NOT_A_TEMPLATE)
    return FORMAT.parse(read, Options(), Limits())


class _Loose(yaml.SafeLoader):
    """Reads YAML without a thought for tags: the count that ours is held against."""


_Loose.add_multi_constructor("", lambda _loader, _suffix, node: str(node.value))


def written(name: str) -> dict[str, Any]:
    """The ``Resources`` of a template, read by another reader."""
    text = (SHARED / "corpus" / FOLDER / name).read_text(encoding="utf-8")
    document = json.loads(text) if name.endswith(".json") else yaml.load(text, _Loose)  # noqa: S506
    resources: dict[str, Any] = document["Resources"]
    return resources


CASES: Final = sorted(rows())
NO_CORPUS: Final = pytest.param("", marks=pytest.mark.skip(reason="the corpus is not here"))


@pytest.mark.parametrize("name", sorted(set(CASES) & set(REFUSED)) or [NO_CORPUS])
def test_what_is_not_a_template_is_refused_for_its_reason(name: str) -> None:
    with pytest.raises(PlanParseError) as caught:
        parsed(name)
    assert str(caught.value).removeprefix(f"{name}: ") == REFUSED[name]


@pytest.mark.parametrize("name", sorted(set(CASES) - set(REFUSED)) or [NO_CORPUS])
def test_a_template_is_read_in_full(name: str) -> None:
    plan = parsed(name)
    named = written(name)
    assert len(plan.resources) == len(named) - LEFT_OUT.get(name, 0)
    assert {resource.address: resource.type for resource in plan.resources}.items() <= {
        key: value["Type"] for key, value in named.items()
    }.items()
    told = re.match(r"(\d+) resources", rows()[name][1])
    assert told is None or int(told.group(1)) == len(named)


@pytest.mark.parametrize("name", sorted(set(CASES) - set(REFUSED)) or [NO_CORPUS])
def test_a_template_can_be_judged(name: str) -> None:
    plan = plan_with_facts(parsed(name))
    for resource in plan.resources:
        assert ADAPTER_ERROR not in resource.facts, resource.address
        assert resource.location is not None
        assert resource.location.line > 0
    outcomes, _ = evaluate(plan, RULES, {"required-tags": {"tags": {"owner": []}}})
    assert [outcome for outcome in outcomes if outcome.status.value == "error"] == []


def test_what_the_index_calls_malformed_is_refused() -> None:
    if not rows():
        pytest.skip("the corpus is not here")
    malformed = {name for name, (kind, _) in rows().items() if "malformed" in kind}
    assert malformed - set(REFUSED) == READ_ALTHOUGH_BAD
    assert set(REFUSED) <= set(rows())


def test_types_are_known_by_the_names_that_people_use() -> None:
    if not rows():
        pytest.skip("the corpus is not here")
    modelled = {"AWS::EC2::Instance", "AWS::S3::Bucket", "AWS::IAM::Role", "AWS::RDS::DBInstance"}
    seen: dict[str, set[str]] = {}
    for name in CASES:
        if name not in REFUSED:
            for resource in plan_with_facts(parsed(name)).resources:
                seen.setdefault(resource.type, set()).add(resource.kind)
    assert all("" not in seen[native_type] for native_type in modelled)
