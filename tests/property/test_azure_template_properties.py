"""Theorems about reading Azure templates."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plangate.errors import PlanParseError
from plangate.facts.registry import ADAPTER_ERROR, plan_with_facts
from plangate.model.values import UNKNOWN
from plangate.parsers.azure_expressions import parsed
from tests.unit.parsers.test_azure_template import a_template, read

EXPRESSIONS = st.recursive(
    st.sampled_from(
        [
            "parameters('p')",
            "parameters('q')",
            "variables('v')",
            "'a'",
            "1",
            "true()",
            "copyIndex()",
            "resourceGroup().location",
            "resourceId('Microsoft.Storage/storageAccounts', 'a')",
            "reference('x').y",
            "createArray(1, 'b')",
            "null()",
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"concat({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"equals({a}, {b})", inner, inner),
        st.builds(lambda a, b, c: f"if({a}, {b}, {c})", inner, inner, inner),
        st.builds(lambda a, b: f"and({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"union({a}, {b})", inner, inner),
        st.builds(lambda a, b: f"createObject('k', {a}, 'l', {b}).k", inner, inner),
        st.builds(
            lambda f, a: f"{f}({a})",
            st.sampled_from(["toLower", "length", "not", "string", "first", "int", "empty", "x"]),
            inner,
        ),
        st.builds(lambda a, b: f"createArray({a}, {b})[0]", inner, inner),
    ),
    max_leaves=8,
)
TYPES = st.sampled_from(
    [
        "Microsoft.Storage/storageAccounts",
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Network/networkSecurityGroups/securityRules",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Sql/servers/databases",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.KeyVault/vaults/keys",
        "Microsoft.Cache/redis",
        "Microsoft.Resources/deployments",
        "Microsoft.Sql/servers/databases/transparentDataEncryption",
        "[concat('a', 'b')]",
        "x",
    ]
)
KEYS = st.sampled_from(
    [
        "properties",
        "securityRules",
        "ipConfigurations",
        "publicIPAddress",
        "id",
        "networkProfile",
        "networkInterfaces",
        "apiServerAccessProfile",
        "authorizedIPRanges",
        "publicNetworkAccess",
        "rotationPolicy",
        "lifetimeActions",
        "action",
        "type",
        "trigger",
        "sku",
        "family",
        "copy",
        "name",
        "count",
        "input",
        "template",
        "resources",
        "parameters",
        "state",
        "encryption",
        "keySource",
        "publicAccess",
        "priority",
        "protocol",
        "storageProfile",
        "osDisk",
        "diffDiskSettings",
        "networkInterfaceConfigurations",
        "network",
        "securityProfile",
        "tags",
        "sourceAddressPrefix",
        "properties",
    ]
)
VALUES = st.recursive(
    st.one_of(
        EXPRESSIONS.map(lambda text: f"[{text}]"),
        st.none(),
        st.booleans(),
        st.integers(-2, 5),
        st.sampled_from(["Disabled", "*", "a/b", ""]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=10,
)
RESOURCES = st.fixed_dictionaries(
    {"type": TYPES, "name": st.one_of(st.sampled_from(["a", "a/b", "a/b/c"]), VALUES)},
    optional={
        "properties": VALUES,
        "copy": VALUES,
        "condition": VALUES,
        "dependsOn": VALUES,
        "location": VALUES,
        "tags": VALUES,
    },
)
PARAMETERS = {"p": {"type": "string"}, "q": {"type": "bool"}}


@given(st.lists(RESOURCES, max_size=4), VALUES)
def test_any_template_is_a_plan_without_a_failing_adapter_or_is_refused(
    resources: Any, variable: Any
) -> None:
    try:
        plan = plan_with_facts(read(a_template(*resources, parameters=PARAMETERS, variables={"v": variable})))
    except PlanParseError:
        return
    assert not any(ADAPTER_ERROR in r.facts for r in plan.resources)
    assert len({r.address for r in plan.resources}) == len(plan.resources)


@given(VALUES)
def test_any_resources_are_a_plan_or_are_refused(value: Any) -> None:
    try:
        plan_with_facts(read({"$schema": a_template()["$schema"], "resources": value}))
    except PlanParseError:
        return


@given(EXPRESSIONS, st.sampled_from(["true", "false"]), st.text(max_size=5))
def test_a_parameter_that_is_given_never_turns_a_known_value_into_another(
    text: str, flag: str, word: str
) -> None:
    template = a_template(
        {"type": "x", "name": "x", "properties": {"p": f"[{text}]"}},
        parameters=PARAMETERS,
        variables={"v": "[parameters('p')]"},
    )

    def made(**given: str) -> Any:
        return read(template, given).resources[0].planned["properties"]["p"]

    def agrees(before: Any, after: Any) -> bool:
        if before is UNKNOWN:
            return True
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            return all(agrees(one, other) for one, other in zip(before, after, strict=True))
        return type(before) is type(after) and before == after

    assert agrees(made(), made(p=word))
    assert agrees(made(), made(q=flag))
    assert agrees(made(p=word), made(p=word, q=flag))


@given(st.text(alphabet="abc'()[].,1 ", max_size=40))
def test_any_text_is_an_expression_or_none(text: str) -> None:
    parsed(f"[{text}]")
