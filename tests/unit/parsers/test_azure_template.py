"""Azure templates as plans."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Location, Plan, Provisioner, Reference
from plangate.model.values import UNKNOWN
from plangate.parsers import azure_template, compose, pulumi_preview
from plangate.parsers.base import Input, Limits, Options
from plangate.parsers.json_documents import read_json_document

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
ACCOUNT = "Microsoft.Storage/storageAccounts"


def a_template(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def an_account(name: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": ACCOUNT, "apiVersion": "2023-01-01", "name": name, **more}


def read(template: Any, parameters: Mapping[str, str] | None = None, limits: Limits | None = None) -> Plan:
    bounds = limits or Limits()
    data = json.dumps(template).encode()
    source = Input(name="main.json", data=data, sha256="0" * 64, size=len(data))
    return azure_template.parse(
        read_json_document(source, bounds), Options(parameters=parameters or {}), bounds
    )


def evaluated(text: Any, **more: Any) -> Any:
    """What an expression in a property becomes."""
    plan = read(a_template(an_account(properties={"p": text}), **more))
    return plan.resources[0].planned["properties"]["p"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("[[not an expression]", "[not an expression]"),
        ("['it''s']", "it's"),
        ("[concat('a', 'b', 1, true())]", "ab1True"),
        ("[concat(createArray(1), createArray(2))]", [1, 2]),
        ("[format('{0}-{1}-{{}}', 'a', 2)]", "a-2-{}"),
        ("[format('{2}', 'a')]", UNKNOWN),
        ("[toUpper(toLower('aB'))]", "AB"),
        ("[if(equals(1, 1), 'yes', 'no')]", "yes"),
        ("[if(equals(1, true()), 'yes', 'no')]", "no"),
        ("[if(equals(resourceGroup().name, 'x'), 'same', 'same')]", "same"),
        ("[if(equals(resourceGroup().name, 'x'), 'yes', 'no')]", UNKNOWN),
        ("[and(false(), equals(uniqueString('x'), 'y'))]", False),
        ("[and(true(), equals(uniqueString('x'), 'y'))]", UNKNOWN),
        ("[or(true(), unknownFunction())]", True),
        ("[not(equals('a', 'b'))]", True),
        ("[not('text')]", UNKNOWN),
        ("[union(createObject('a', 1), createObject('b', 2))]", {"a": 1, "b": 2}),
        ("[union(createArray('a'), createArray('a', 'b'))]", ["a", "b"]),
        ("[contains(createObject('Key', 1), 'key')]", True),
        ("[contains('abc', 'b')]", True),
        ("[contains(createArray(1, 2), 2)]", True),
        ("[length('abc')]", 3),
        ("[empty(createArray())]", True),
        ("[first(split('a,b', ','))]", "a"),
        ("[last(createArray(1, 2))]", 2),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[join(createArray('a', 'b'), '-')]", "a-b"),
        ("[replace('aXbX', 'X', '-')]", "a-b-"),
        ("[replace('a', '', '-')]", UNKNOWN),
        ("[substring('abcdef', 1, 2)]", "bc"),
        ("[substring('abc', 2, 9)]", UNKNOWN),
        ("[skip(take('abcdef', 4), 2)]", "cd"),
        ("[trim(' a ')]", "a"),
        ("[startsWith('Abc', 'aB')]", True),
        ("[endsWith('abC', 'BC')]", True),
        ("[add(1, mul(2, sub(5, 2)))]", 7),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[div(1, 0)]", UNKNOWN),
        ("[int('12')]", 12),
        ("[int('12x')]", UNKNOWN),
        ("[string(12)]", "12"),
        ("[bool('True')]", True),
        ("[coalesce(null(), 'a')]", "a"),
        ("[array('a')]", ["a"]),
        ("[range(2, 3)]", [2, 3, 4]),
        ("[range(0, 100000)]", UNKNOWN),
        ("[greater(2, 1)]", True),
        ("[lessOrEquals('a', 'b')]", True),
        ("[createObject('a', createArray(1, 2)).a[1]]", 2),
        ("[createObject('a', 1).b]", UNKNOWN),
        ("[createArray(1)[7]]", UNKNOWN),
        ("[utcNow()]", UNKNOWN),
        ("[contoso.function('x')]", UNKNOWN),
        ("[concat('a'", "[concat('a'"),
        ("[concat('a']", UNKNOWN),
        ("[concat('a') 'b']", UNKNOWN),
        ("[]", UNKNOWN),
        ("['a", "['a"),
        ("[" + "not(" * 200 + "true()" + ")" * 200 + "]", UNKNOWN),
        ("[variables('gone')]", UNKNOWN),
        ("[copyIndex()]", UNKNOWN),
    ],
)
def test_an_expression_is_what_it_evaluates_to(text: str, value: Any) -> None:
    found = evaluated(text)
    assert (type(found), found) == (type(value), value)


def test_parameters_are_what_is_given_or_their_default_or_unknown() -> None:
    parameters = {
        "a": {"type": "string", "defaultValue": "x"},
        "B": {"type": "int"},
        "c": {"type": "bool"},
        "d": {"type": "array"},
    }
    text = "[createArray(parameters('A'), parameters('b'), parameters('c'), parameters('d'))]"
    assert evaluated(text, parameters=parameters) == ["x", UNKNOWN, UNKNOWN, UNKNOWN]
    given = read(
        a_template(an_account(properties={"p": text}), parameters=parameters),
        {"a": "y", "b": "3", "C": "true", "d": "{}"},
    )
    assert given.resources[0].planned["properties"]["p"] == ["y", 3, True, UNKNOWN]


def test_variables_are_evaluated_and_one_made_of_itself_is_unknown() -> None:
    variables = {
        "name": "[concat('a', variables('end'))]",
        "end": "b",
        "loop": "[variables('loop')]",
        "copy": [{"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks', 1)]"}}],
    }
    assert evaluated("[variables('name')]", variables=variables) == "ab"
    assert evaluated("[variables('loop')]", variables=variables) is UNKNOWN
    assert evaluated("[variables('disks')[1].lun]", variables=variables) == 2


def test_loops_make_as_many_as_they_count() -> None:
    loop = an_account(
        "[concat('a', copyIndex())]", copy={"name": "l", "count": 2}, properties={"i": "[copyIndex('l', 5)]"}
    )
    plan = read(a_template(loop))
    assert [(r.address, r.planned["properties"]["i"]) for r in plan.resources] == [
        (f"{ACCOUNT}/a0", 5),
        (f"{ACCOUNT}/a1", 6),
    ]
    assert read(a_template(an_account(copy={"name": "l", "count": 0}))).resources == ()


@pytest.mark.parametrize("count", ["[parameters('n')]", -1, "2", True, 10_001, None])
def test_a_loop_whose_count_is_not_known_is_one_resource_of_which_nothing_is_known(count: Any) -> None:
    plan = read(a_template(an_account(copy={"name": "l", "count": count}), parameters={"n": {"type": "int"}}))
    (resource,) = plan.resources
    assert (resource.unknown, resource.planned["name"], resource.configured) == (("",), UNKNOWN, None)
    assert plan.opaque == ("how many there are of the resource at /resources/0 is not known",)


def test_properties_are_repeated_as_often_as_they_count() -> None:
    copies = [{"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]"}}]
    plan = read(a_template(an_account(properties={"copy": copies})))
    assert plan.resources[0].planned["properties"] == {"disks": [{"lun": 0}, {"lun": 1}]}
    copies[0]["count"] = "[reference('x').n]"
    assert read(a_template(an_account(properties={"copy": copies}))).resources[0].planned["properties"] == {
        "disks": UNKNOWN
    }


def test_a_condition_decides_whether_a_resource_is_there() -> None:
    assert read(a_template(an_account(condition=False))).resources == ()
    assert len(read(a_template(an_account(condition="[equals(1, 1)]"))).resources) == 1
    (resource,) = read(
        a_template(an_account(condition="[parameters('on')]"), parameters={"on": {"type": "bool"}})
    ).resources
    assert (resource.address, resource.unknown) == (f"{ACCOUNT}/a", ("",))


def test_resources_inside_of_others_have_their_whole_type_and_name() -> None:
    inner = {"type": "blobServices/containers", "name": "default/c"}
    qualified = {"type": f"{ACCOUNT}/queueServices", "name": "default"}
    plan = read(a_template(an_account(resources=[inner, qualified])))
    assert [r.address for r in plan.resources] == [
        f"{ACCOUNT}/a",
        f"{ACCOUNT}/blobServices/containers/a/default/c",
        f"{ACCOUNT}/queueServices/a/default",
    ]


def test_names_of_members_are_read_in_any_case() -> None:
    inner = {"Type": "blobServices", "NAME": "default", "Condition": False}
    other = {"type": "queueServices", "name": "default"}
    plan = read(
        a_template({"TYPE": ACCOUNT, "Name": "a", "Location": "West Europe", "Resources": [inner, other]})
    )
    assert [(r.address, r.region) for r in plan.resources] == [
        (f"{ACCOUNT}/a", "westeurope"),
        (f"{ACCOUNT}/queueServices/a/default", ""),
    ]


def a_deployment(scope: str | None, **properties: Any) -> dict[str, Any]:
    options = {"expressionEvaluationOptions": {"scope": scope}} if scope else {}
    return {"type": "Microsoft.Resources/deployments", "name": "d", "properties": {**properties, **options}}


def test_a_template_inside_is_read_in_the_scope_that_it_says() -> None:
    inside = a_template(
        an_account("[parameters('n')]"), parameters={"n": {"type": "string", "defaultValue": "default"}}
    )
    outer = {"n": {"type": "string", "defaultValue": "outer"}}
    own = a_deployment(
        "inner", template=inside, parameters={"n": {"value": "[concat(parameters('n'), '1')]"}}
    )
    assert [r.address for r in read(a_template(own, parameters=outer)).resources] == [f"d.{ACCOUNT}/outer1"]
    plain = a_deployment(None, template=inside, parameters={"n": {"value": "x"}})
    assert [r.address for r in read(a_template(plain, parameters=outer)).resources] == [f"d.{ACCOUNT}/outer"]


def test_a_template_elsewhere_is_not_read_and_the_plan_says_so() -> None:
    plan = read(a_template(a_deployment(None, templateLink={"uri": "https://x.example/t.json"})))
    assert plan.opaque == ("the deployment d takes its template from elsewhere, which is not read",)


def test_a_deployment_that_deletes_what_it_does_not_name_is_said_to() -> None:
    plan = read(a_template(a_deployment(None, mode="Complete", template=a_template(an_account()))))
    assert plan.opaque == ("the deployment d deletes what it does not name (mode Complete)",)


def test_what_is_in_a_template_that_may_not_be_deployed_is_unknown() -> None:
    inner = {**a_deployment(None, template=a_template(an_account())), "condition": "[parameters('on')]"}
    (resource,) = read(a_template(inner, parameters={"on": {"type": "bool"}})).resources
    assert resource.unknown == ("",)


def test_an_id_of_a_resource_in_the_template_refers_to_it_also_through_a_variable() -> None:
    network = {"type": "Microsoft.Network/virtualNetworks", "name": "n"}
    variables = {"id": "[resourceId('Microsoft.Network/virtualNetworks', 'N')]"}
    properties = {
        "a": "[resourceId('Microsoft.Network/virtualNetworks', 'n')]",
        "b": ["[variables('id')]"],
        "c": "[concat(resourceId('Microsoft.Network/virtualNetworks', 'n'), '/x')]",
        "d": "[resourceId('Microsoft.Network/virtualNetworks', 'gone')]",
        "e": "[resourceId('Microsoft.Network/virtualNetworks', parameters('p'))]",
        "f": "[reference('x').y]",
    }
    depends = ["n", "[resourceId('Microsoft.Network/virtualNetworks', 'n')]"]
    account = an_account(properties=properties, dependsOn=depends)
    template = a_template(network, account, variables=variables, parameters={"p": {"type": "string"}})
    resource = read(template).resources[1]
    target = "Microsoft.Network/virtualNetworks/n"
    assert resource.references == (
        Reference(at="/dependsOn", address=target, exact=True),
        Reference(at="/properties/a", address=target, exact=True),
        Reference(at="/properties/b", address=target, exact=True),
        Reference(at="/properties/c", address=target, exact=False),
    )
    assert resource.unresolved == ("/properties/e", "/properties/f")
    assert resource.unknown == tuple(f"/properties/{name}" for name in ("a", "b/0", "c", "d", "e", "f"))


def test_two_that_exclude_each_other_are_both_there_and_neither_is_meant_exactly() -> None:
    one, other = (
        {**an_account("s"), "condition": f"[{c}]"} for c in ("parameters('on')", "not(parameters('on'))")
    )
    user = an_account("u", properties={"id": f"[resourceId('{ACCOUNT}', 's')]"})
    plan = read(a_template(one, other, user, parameters={"on": {"type": "bool"}}))
    assert len({r.address for r in plan.resources}) == 3
    assert [reference.exact for reference in plan.resources[2].references] == [False, False]


def test_secrets_are_remembered_and_marked() -> None:
    parameters = {"p": {"type": "securestring", "defaultValue": "hunter22"}, "q": {"type": "secureString"}}
    properties = {
        "x": "[concat('pre-', parameters('p'))]",
        "y": "[parameters('q')]",
        "adminPassword": "hunter33",
        "k": "[listKeys('x', '1')]",
    }
    plan = read(a_template(an_account(properties=properties), parameters=parameters), {"q": "hunter44"})
    assert plan.secrets == {"hunter22", "pre-hunter22", "hunter33", "hunter44"}
    assert plan.resources[0].sensitive == tuple(f"/properties/{n}" for n in ("adminPassword", "k", "x", "y"))


def test_symbolic_names_are_read_and_what_is_only_referred_to_is_data() -> None:
    template = a_template(languageVersion="2.0")
    template["resources"] = {
        "mine": an_account("a", dependsOn=["theirs"]),
        "theirs": {"existing": True, "type": ACCOUNT, "name": "b"},
    }
    mine, theirs = read(template).resources
    assert (mine.mode, mine.action, theirs.mode, theirs.action) == (
        "managed",
        Action.CREATE,
        "data",
        Action.READ,
    )
    assert [r.address for r in mine.references] == [theirs.address]


def test_a_script_of_the_deployment_is_said_to_run() -> None:
    plan = read(a_template({"type": "Microsoft.Resources/deploymentScripts", "name": "s"}))
    assert plan.provisioners == (
        Provisioner(
            address="Microsoft.Resources/deploymentScripts/s",
            type="action:azure-deployment-script",
            runs=True,
        ),
    )


def test_a_resource_knows_its_place_and_where_it_is_written() -> None:
    (resource,) = read(a_template(an_account(location="westeurope"))).resources
    assert (resource.region, resource.cloud) == ("westeurope", "azure")
    assert resource.location is not None
    assert resource.location == Location(file="main.json", line=1, column=resource.location.column)
    (other,) = read(a_template(an_account(location="[resourceGroup().location]"))).resources
    assert other.region is UNKNOWN


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ({"resources": 7}, "neither a list nor an object"),
        ({"resources": [7]}, "a resource that is not an object"),
        ({"resources": [], "Resources": [{}]}, "a member comes twice, in upper and lower case"),
        (
            {"resources": [{"properties": {"rules": [{"access": "Deny", "ACCESS": "Allow"}]}}]},
            "a member comes twice, in upper and lower case",
        ),
    ],
)
def test_what_has_another_shape_is_refused_with_its_place(template: Any, problem: str) -> None:
    with pytest.raises(PlanParseError, match=problem) as caught:
        read({"$schema": SCHEMA, **template})
    assert caught.value.at.startswith("line 1 column ")


def test_templates_that_evaluate_to_more_than_their_bound_are_refused() -> None:
    doubled = {f"v{i}": f"[concat(variables('v{i - 1}'), variables('v{i - 1}'))]" for i in range(1, 40)}
    shared = {f"v{i}": [f"[variables('v{i - 1}')]"] * 2 for i in range(1, 40)}
    for variables, start in ((doubled, "x" * 100), (shared, {"a": 1})):
        template = a_template(
            an_account(properties={"p": "[variables('v39')]"}), variables={**variables, "v0": start}
        )
        with pytest.raises(PlanParseError, match="it evaluates to more than"):
            read(template, limits=Limits(max_template_nodes=50_000))


def test_more_resources_or_templates_than_the_limit_are_refused() -> None:
    with pytest.raises(PlanParseError, match="more than 1 resources"):
        read(a_template(an_account(copy={"name": "l", "count": 2})), limits=Limits(max_resources=1))
    template = a_template()
    for _ in range(10):
        template = a_template(a_deployment(None, template=template))
    with pytest.raises(PlanParseError, match="more than 8 templates"):
        read(template)


def test_variables_in_a_long_row_are_read_or_refused() -> None:
    variables = {f"v{i}": f"[variables('v{i - 1}')]" for i in range(1, 5000)}
    with pytest.raises(PlanParseError, match="nested too deeply"):
        evaluated("[variables('v4999')]", variables={**variables, "v0": 1})


@pytest.mark.parametrize(
    "value",
    [
        {"$schema": SCHEMA},
        {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
            "resources": [],
        },
        {"Resources": {}},
        {"resources": []},
        [],
        None,
    ],
)
def test_other_documents_are_not_taken_for_templates(value: Any) -> None:
    assert not azure_template.recognizes([value])
    assert not azure_template.recognizes([])


def test_templates_are_recognized_and_nothing_else_takes_them() -> None:
    template = a_template(an_account())
    assert azure_template.recognizes([template])
    assert azure_template.recognizes(
        [{**template, "$schema": SCHEMA.replace("deploymentT", "subscriptionDeploymentT")}]
    )
    assert not compose.recognizes([template])
    assert not pulumi_preview.recognizes([template])
