"""Artifact contracts and their schemas (spec 04 §14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.template.contracts import SchemaError, read_schema
from vizier_kernel.template.shapes import DEPTH_LIMIT

from .trees import OUTCOMES, Tree, compiled, custom, plan, refusal, shell, template

ARTIFACTS = [
    (plan("plan_branch", "s", "b"), "plan_branch", "plan_branch:s (b)"),
    (plan("plan_doc", "s", "b"), "plan_doc", "plan_doc:s (b)"),
    (plan("plan_commits", "s", "b"), "plan_commits", "plan_commits:s (b)"),
    ({"target_branch": {"name": "main"}}, "target_branch", "target_branch:main"),
    ({"merge_sentinel": {"slug": "s"}}, "merge_sentinel", "merge_sentinel:s"),
    ({"command_patch": {"job_id": "j"}}, "command_patch", "command_patch:j"),
    (custom("report", "k"), "report", "custom:report:k"),
]


def needing(artifact: Tree, *contracts: Tree) -> Tree:
    return template(shell("n", needs=[artifact]), artifact_contracts=list(contracts))


@pytest.mark.parametrize(("artifact", "contract", "label"), ARTIFACTS)
def test_every_artifact_needs_its_contract(artifact: Tree, contract: str, label: str) -> None:
    problem = f"artifact `{label}` without declared artifact contract `{contract}`"
    assert f"node `n` needs {problem}" in refusal(shell("n", needs=[artifact]), artifact_contracts=[{"id": "other"}])
    for outcome in OUTCOMES:
        produces = {outcome: [artifact]}
        assert f"node `n` produces {problem}" in refusal(shell("n", produces=produces), artifact_contracts=[])
    assert compiled(needing(artifact, {"id": contract}))


@pytest.mark.parametrize(("artifact", "contract", "label"), ARTIFACTS)
def test_what_schemas_see(artifact: Tree, contract: str, label: str) -> None:
    (payload,) = artifact.values()
    assert compiled(needing(artifact, {"id": contract, "schema": {"const": payload}}))
    schema = {"const": {**payload, "more": "x"}}
    message = refusal(shell("n", needs=[artifact]), artifact_contracts=[{"id": contract, "schema": schema}])
    assert f"artifact `{label}` that violates schema for contract `{contract}`: $: " in message


def test_contract_ids_are_compared_after_expansion() -> None:
    tree = needing(custom("${kind}", "k"), {"id": "${kind}"}) | {"params": {"kind": "report"}}
    assert compiled(tree, kind="paper")


def test_needs_come_before_products() -> None:
    message = refusal(
        shell("n", needs=[custom("b", "k")], produces={"succeeded": [custom("a", "k")]}), artifact_contracts=[]
    )
    assert "`b`" in message


def test_the_last_declaration_of_an_id_counts() -> None:
    contracts = [{"id": "report", "schema": False}, {"id": "report", "schema": True}]
    assert compiled(needing(custom("report", "k"), *contracts))
    assert "violates schema" in refusal(shell("n", needs=[custom("report", "k")]), artifact_contracts=contracts[::-1])


@pytest.mark.parametrize("key", ["", "  "])
def test_operation_output_without_key(key: str) -> None:
    assert "with empty key" in refusal(shell("n", needs=[custom("operation_output", key)]))
    assert "with empty key" in refusal(shell("n", produces={"failed": [custom("operation_output", key)]}))


def test_operation_output_names_an_existing_node() -> None:
    assert "no template node has that id" in refusal(shell("n", needs=[custom("operation_output", "gone")]))
    assert compiled(template(shell("n", needs=[custom("operation_output", "n")])))


def test_invalid_schemas_are_found_even_unused() -> None:
    message = refusal(shell("n"), artifact_contracts=[{"id": "fine"}, {"id": "odd", "schema": {"type": 5}}])
    assert message.startswith("template template.t@v1 artifact contract `odd` has invalid schema: $.type: ")


# schemas

PAYLOAD = {"type_id": "report", "key": "k"}


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "object"},
        {"required": []},
        {"required": ["type_id", "key"]},
        {"properties": {"key": {"type": "string"}, "absent": False}},
        {"properties": {"key": {"const": "k"}, "type_id": {"enum": ["a", "report"]}}, "additionalProperties": False},
        {"properties": {"key": {"pattern": "^k$"}}},
        {"properties": {"key": {"pattern": "^(a|k|c)$"}}},
        {"additionalProperties": True},
        {"enum": [1, {"type_id": "report", "key": "k"}]},
        {"pattern": "^not-for-objects$"},
        {"type": "object", "description": "free", "minProperties": 9},
    ],
)
def test_schemas_that_accept(schema: object) -> None:
    assert read_schema(schema).violation(PAYLOAD) is None


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        (False, "$:"),
        ({"type": "string"}, "$:"),
        ({"type": "array"}, "$:"),
        ({"const": {"key": "k"}}, "$:"),
        ({"enum": []}, "$:"),
        ({"enum": ["report", "k"]}, "$:"),
        ({"required": ["slug"]}, "$: `slug`"),
        ({"properties": {"key": False}}, "$.key:"),
        ({"properties": {"key": {"type": "object"}}}, "$.key: 'k' is not of type object"),
        ({"properties": {"key": {"type": "integer"}}}, "$.key:"),
        ({"properties": {"key": {"pattern": "^kk$"}}}, "$.key: 'k' is not one of 'kk'"),
        ({"properties": {"key": {"pattern": "^(a|b)$"}}}, "$.key:"),
        ({"properties": {"key": {"required": ["x"]}}}, "$.key:"),
        ({"properties": {"key": {"properties": {"x": True}}}}, "$.key:"),
        ({"properties": {"key": True}, "additionalProperties": False}, "$: `type_id` is not allowed"),
    ],
)
def test_schemas_that_reject(schema: object, path: str) -> None:
    violation = read_schema(schema).violation(PAYLOAD)
    assert violation is not None
    assert violation.startswith(path)


@pytest.mark.parametrize(
    ("schema", "accepted"), [({"pattern": "^$"}, True), ({"properties": {}}, True), ({"required": []}, True)]
)
def test_r32_empty_literal_and_keywords_that_demand_nothing(schema: object, accepted: bool) -> None:
    assert (read_schema(schema).violation("") is None) is accepted
    assert read_schema({"pattern": "^$"}).violation("x") is not None


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ("object", "$:"),
        ([], "$:"),
        (7, "$:"),
        ({"type": 5}, "$.type:"),
        ({"type": "text"}, "$.type:"),
        ({"type": ["string"]}, "$.type:"),
        ({"type": None}, "$.type:"),
        ({"enum": "a"}, "$.enum:"),
        ({"pattern": 5}, "$.pattern:"),
        ({"pattern": "k"}, "$.pattern:"),
        ({"pattern": "^"}, "$.pattern:"),
        ({"pattern": "^a.b$"}, "$.pattern:"),
        ({"pattern": "k$"}, "$.pattern:"),
        ({"pattern": "^a|b$"}, "$.pattern:"),
        ({"pattern": "^($"}, "$.pattern:"),
        ({"pattern": "^()$"}, "$.pattern:"),
        ({"pattern": "^(a|)$"}, "$.pattern:"),
        ({"pattern": "^(a|b*)$"}, "$.pattern:"),
        ({"required": "key"}, "$.required:"),
        ({"required": [1]}, "$.required:"),
        ({"properties": []}, "$.properties:"),
        ({"properties": {"key": 5}}, "$.properties.key:"),
        ({"properties": {"x": {"properties": {"y": {"type": "date"}}}}}, "$.properties.x.properties.y.type:"),
        ({"additionalProperties": {}}, "$.additionalProperties:"),
        ({"type": "odd", "enum": 1, "pattern": 1}, "$.type:"),
        ({"enum": 1, "pattern": 1}, "$.enum:"),
        ({"properties": {"b": 1, "a": 1}}, "$.properties.a:"),
    ],
)
def test_invalid_schemas(schema: object, place: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read_schema(schema)
    assert str(caught.value).startswith(place)


SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "const", "enum", "pattern", "required", "properties", "additionalProperties"]),
            inner,
        )
    ),
)


@given(SCHEMAS)
def test_any_json_is_a_schema_or_not(value: object) -> None:
    try:
        schema = read_schema(value)
    except SchemaError:
        return
    violation = schema.violation(PAYLOAD)
    assert violation is None or violation.startswith("$")


def test_schemas_as_deep_as_the_format_allows_are_read() -> None:
    schema: object = True
    for _ in range(DEPTH_LIMIT // 2):
        schema = {"properties": {"key": schema}}
    assert "violates schema" in refusal(
        shell("n", needs=[custom("c", "k")]), artifact_contracts=[{"id": "c", "schema": schema}]
    )
