"""Imports, stages, links and merging (spec 04 §7)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.template import (
    ImportedTemplateError,
    LoadedTemplate,
    TemplateError,
    TemplateWarning,
    compile_workflow,
    compose,
    decode_template,
    expand,
)
from vizier_kernel.template.compose import NESTING_LIMIT, NODE_LIMIT, stage_prefix

from .trees import BUILTIN, OUTCOMES, Tree, composed, custom, expanded, load, node, refusal, shell


def part(*nodes: Tree, **top: Any) -> Tree:
    return {"id": "template.part", "version": "v1", "nodes": list(nodes), **top}


def parent(*stages: str, nodes: tuple[Tree, ...] = (), links: tuple[tuple[str, str], ...] = (), **top: Any) -> Tree:
    """A template that imports the file `<stage>` for every name."""
    return {
        "id": "template.ship",
        "version": "v9",
        "imports": [{"name": stage, "path": stage.strip()} for stage in stages],
        "links": [{"from": source, "to": target} for source, target in links],
        "nodes": list(nodes),
        **top,
    }


def refused(tree: Tree, files: dict[str, Tree]) -> str:
    with pytest.raises(TemplateError) as caught:
        composed(tree, files)
    return str(caught.value)


def after(tree: Tree, files: dict[str, Tree]) -> dict[str, list[str]]:
    return {node.id: [a.node_id for a in node.after] for node in composed(tree, files).template.nodes}


def test_a_template_without_imports_stays_as_it_is() -> None:
    tree = part(shell("n"), params={"a": "1"}, links=[{"from": "x", "to": "y"}])
    made = composed(tree)
    assert made.template.nodes == load(tree).template.nodes
    assert made.template.links == ()
    assert made.lock_scopes == {"n": {"a": "1"}}
    assert len(made.warnings) == 1


def test_two_linked_stages() -> None:
    files = {"prep": part(shell("fetch")), "pack": part(shell("zip"))}
    tree = parent("prep", "pack", links=(("prep", "pack"),))
    assert after(tree, files) == {"prep__fetch": [], "pack__zip": ["prep__fetch"]}
    made = composed(tree, files).template
    assert (made.id, made.version, made.imports, made.links) == ("template.ship", "v9", (), ())
    assert not any(node.on.all() for node in made.nodes)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("one", "one"),
        ("s a..1_", "s_a_1"),
        ("__x__", "x"),
        ("a-b", "a-b"),
        ("a____b", "a_b"),
        ("Überbau", "berbau"),
        ("...", ""),
    ],
)
def test_stage_prefix(name: str, prefix: str) -> None:
    assert stage_prefix(name) == prefix


@given(st.text())
def test_a_stage_prefix_holds_no_separator(name: str) -> None:
    prefix = stage_prefix(name)
    assert "__" not in prefix
    assert prefix == prefix.strip("_") == stage_prefix(prefix)


def test_prefixes_nest() -> None:
    files = {"mid": parent("inner"), "inner": part(shell("build"))}
    assert after({**parent(), "imports": [{"name": "outer", "path": "mid"}]}, files) == {"outer__inner__build": []}


def test_the_load_function_gets_the_trimmed_path_and_the_importing_file() -> None:
    asked = []

    def find(path: str, importing: str) -> Any:
        asked.append((path, importing))
        return load(parent("two") if path == "one" else part(shell("n")), f"/repo/{path}")

    compose(load({**parent(), "imports": [{"name": "x", "path": " one "}]}, "/repo/root"), find)
    assert asked == [("one", "/repo/root"), ("two", "/repo/one")]


def test_references_follow_the_rename_and_nothing_else_does() -> None:
    inner = part(
        shell("a", on={"succeeded": ["b"], "failed": ["a"], "blocked": ["b"], "cancelled": ["b", "a"]}),
        shell("b", "echo a", after=("a",), produces={"succeeded": [custom("report", "a")]}),
    )
    first, second = composed(parent("part"), {"part": inner}).template.nodes
    assert [targets for _, targets in first.on.items()] == [
        ("part__b",),
        ("part__a",),
        ("part__b",),
        ("part__b", "part__a"),
    ]
    assert [a.node_id for a in second.after] == ["part__a"]
    assert second.args == {"script": "echo a"}
    assert second.produces.succeeded[0].second == "a"


def test_links_join_every_terminal_with_every_entry() -> None:
    one = part(shell("start", on={"succeeded": ["x"]}), shell("x"), shell("y", after=("start",)))
    two = part(shell("p"), shell("q", on={"succeeded": ["r"]}), shell("r"), shell("s", after=("p",)))
    found = after(parent("one", "two", links=(("one", "two"), (" one ", "two"))), {"one": one, "two": two})
    assert found["two__p"] == found["two__q"] == ["one__x", "one__y"]
    assert (found["two__r"], found["two__s"]) == ([], ["two__p"])


def test_a_stage_whose_entries_all_wait_is_entered_at_what_no_success_leads_to() -> None:
    two = part(shell("p", after=("q",), on={"succeeded": ["q"]}), shell("q"))
    assert after(parent("one", "two", links=(("one", "two"),)), {"one": part(shell("a")), "two": two})["two__p"] == [
        "two__q",
        "one__a",
    ]


@pytest.mark.parametrize(
    ("tree", "files", "message"),
    [
        ({**parent(), "imports": [{"name": " ", "path": "x"}]}, {}, "import with empty name"),
        (parent("x", " x "), {"x": part(shell("n"))}, "duplicate import name `x`"),
        (parent("x"), {"x": part()}, "imported stage `x` has no nodes"),
        (
            parent("x"),
            {"x": part(shell("n"), shell("m"), shell("n"))},
            "imported stage `x` has duplicate node ids: `n`",
        ),
        (
            parent("x"),
            {"x": part(shell("n", after=("gone",)))},
            "imported stage `x` node `n` references unknown after node `gone`",
        ),
        (parent("x", links=(("", "x"),)), {"x": part(shell("n"))}, "link with empty endpoint"),
        (parent("x", links=(("x", " "),)), {"x": part(shell("n"))}, "link with empty endpoint"),
        (parent("x", links=(("gone", "x"),)), {"x": part(shell("n"))}, "link references unknown stage `gone`"),
        (parent("x", links=(("x", "gone"),)), {"x": part(shell("n"))}, "link references unknown stage `gone`"),
        (parent("x", links=(("x", "x"),)), {"x": part(shell("n"))}, "workflow link cycle detected: x -> x"),
        (
            parent("c", "b", "a", links=(("b", "c"), ("c", "a"), ("a", "b"))),
            dict.fromkeys("abc", part(shell("n"))),
            "workflow link cycle detected: a -> b -> c -> a",
        ),
        (
            parent("x", "y", links=(("x", "y"),)),
            {
                "x": part(shell("a", on={"succeeded": ["b"]}), shell("b", on={"succeeded": ["a"]})),
                "y": part(shell("n")),
            },
            "stage `x` has no terminal nodes to link from",
        ),
        (
            parent("x", "y", links=(("x", "y"),)),
            {
                "y": part(shell("a", on={"succeeded": ["b"]}), shell("b", on={"succeeded": ["a"]})),
                "x": part(shell("n")),
            },
            "stage `y` has no entry nodes to link to",
        ),
    ],
)
def test_what_is_refused(tree: Tree, files: dict[str, Tree], message: str) -> None:
    assert message in refused(tree, files)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_unknown_route_in_a_stage(outcome: str) -> None:
    message = refused(parent("x"), {"x": part(shell("n", on={outcome: ["gone"]}))})
    assert message.startswith(f"imported stage `x` node `n` references unknown `{outcome}` target `gone`\n")


def test_links_are_all_checked_before_stages_are_merged() -> None:
    files = {"x": part(shell("n"), params={"p": "1"}), "y": part(shell("n"), params={"p": "2"})}
    assert "unknown stage" in refused(parent("x", "y", links=(("x", "y"), ("x", "gone"))), files)


def test_import_cycles_name_the_files_from_the_first_to_the_repeat() -> None:
    files = {"a": parent("b"), "b": parent("a")}
    assert refused(parent("a"), files) == "workflow import cycle detected: /repo/a -> /repo/b -> /repo/a"


def test_imports_nest_up_to_a_limit() -> None:
    files = {str(i): parent(str(i + 1)) for i in range(2000)}
    message = refused(parent("0"), files)
    assert f"imports nest more than {NESTING_LIMIT} levels deep" in message


def test_imports_that_double_on_every_level_end_in_an_error() -> None:
    files = {str(i): {**parent(), "imports": [{"name": n, "path": str(i + 1)} for n in "ab"]} for i in range(40)}
    message = refused(parent("0"), {**files, "40": part(shell("n"))})
    assert f"is composed of more than {NODE_LIMIT} nodes" in message


def test_a_file_imported_often_is_composed_once() -> None:
    mid = {**parent(), "imports": [{"name": n, "path": "leaf"} for n in "ab"]}
    loads: list[str] = []

    def find(path: str, _importing: str) -> LoadedTemplate:
        loads.append(path)
        return load(mid if path == "mid" else part(shell("n")), f"/repo/{path}")

    root = {**parent(), "imports": [{"name": n, "path": "mid"} for n in "xyz"]}
    made = compose(load(root, "/repo/root"), find)
    assert len(made.template.nodes) == 6
    assert loads == ["mid", "leaf", "leaf", "mid", "mid"]


def test_errors_in_imported_files_name_the_file_and_the_chain_of_imports_once() -> None:
    files = {"mid": parent("inner"), "inner": part(shell("n"))}
    tree = {**parent(), "imports": [{"name": "outer", "path": "mid"}]}
    chain = "in the template imported as `outer` -> `inner`"
    assert refused(tree, {"mid": files["mid"]}) == f"no file inner\n{chain}"
    assert refused(tree, {**files, "inner": part()}) == f"imported stage `inner` has no nodes\nat /repo/inner\n{chain}"
    with pytest.raises(ImportedTemplateError):
        composed(tree, {"mid": files["mid"]})
    assert "outer" not in refused(parent("inner"), {"inner": part()})


def located(tree: Tree, origin: str) -> LoadedTemplate:
    """Every list item of the tree has a line of its own: a hundred and its index."""
    return decode_template(tree, origin=origin, positions=lambda path: (100 + path[1], 3) if len(path) == 2 else None)


THIRD = part(shell("good"), shell("bad", "echo ${gone}", after=("good",)))


@pytest.mark.parametrize(
    ("third", "problem"),
    [
        (THIRD, "unresolved parameter `gone` in nodes[second__third__bad].args.script"),
        (part(shell("good"), shell("bad", after=("gone",))), "references unknown after node `gone`"),
        (part(shell("good"), shell("bad", on={"failed": ["gone"]})), "references unknown `failed` target `gone`"),
        (part(shell("good"), shell("good")), "imported stage `third` has duplicate node ids: `good`"),
        (part(shell("good"), shell("bad", needs=[custom("x", "y")])), "without declared artifact contract `x`"),
        (part(shell("good"), node("bad", BUILTIN + "plan.persist")), "requires spec_text or spec_file"),
        (part(shell("good"), shell("bad") | {"uses": "nothing"}), "uses unknown label `nothing`"),
    ],
    ids=["parameter", "after", "route", "twice", "contract", "rule", "label"],
)
def test_errors_in_the_third_file_of_a_chain_name_file_line_and_chain(third: Tree, problem: str) -> None:
    files = {"second": parent("third"), "third": third}

    def prepare() -> None:
        made = compose(
            located(parent("second"), "/repo/first"), lambda path, _from: located(files[path], f"/repo/{path}")
        )
        compile_workflow(expand(made, {}), run_id="run_1")

    with pytest.raises(TemplateError) as caught:
        prepare()
    message = str(caught.value)
    assert problem in message
    assert message.splitlines()[-2:] == [
        "at /repo/third:101:3",
        "in the template imported as `second` -> `third`",
    ]


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        (parent("x", "x"), "101:3"),
        (parent("x", " "), "101:3"),
        (parent("x", "y", links=(("x", "y"), ("x", "gone"))), "101:3"),
        (parent("x", "y", params={"p": "1"}), "101:3"),
    ],
    ids=["name", "blank", "link", "conflict"],
)
def test_errors_of_an_importing_file_name_the_line_of_the_import_or_link(tree: Tree, place: str) -> None:
    files = {"x": part(shell("n")), "y": part(shell("n"), params={"p": "2"})}
    with pytest.raises(TemplateError) as caught:
        compose(located(tree, "/repo/root"), lambda path, _from: located(files[path], path))
    assert str(caught.value).endswith(f"\nat /repo/root:{place}")


# merging


def test_order_of_nodes_is_parent_first_then_imports() -> None:
    files = dict.fromkeys(("zeta", "alpha"), part(shell("n"), shell("m")))
    made = composed(parent("zeta", "alpha", nodes=(shell("own"),)), files)
    assert [node.id for node in made.template.nodes] == ["own", "zeta__n", "zeta__m", "alpha__n", "alpha__m"]


@given(
    st.lists(
        st.tuples(st.sampled_from("xyz"), st.lists(st.sampled_from("abcd"), min_size=1, unique=True)),
        max_size=3,
        unique_by=lambda stage: stage[0],
    )
)
def test_composing_keeps_the_order_of_nodes(stages: list[tuple[str, list[str]]]) -> None:
    files = {name: part(*map(shell, ids)) for name, ids in stages}
    made = composed(parent(*files, nodes=(shell("own"),)), files)
    assert [node.id for node in made.template.nodes] == ["own", *(f"{name}__{i}" for name, ids in stages for i in ids)]


def test_policy_and_cli_are_those_of_the_importing_file() -> None:
    inner = part(
        shell("n"), policy={"dependencies": {"missing_producer": "wait"}}, cli={"positional": ["a"]}, params={"a": ""}
    )
    made = composed(parent("x", cli={"named": {"b": "a"}}), {"x": inner}).template
    assert made.policy.dependencies.missing_producer == "block"
    assert (made.cli.positional, made.cli.named) == ((), {"b": "a"})


def test_parameters_and_contracts_are_united() -> None:
    contract = {"id": "report", "version": "v1", "schema": {"type": "object"}}
    files = {
        "one": part(shell("n"), params={"a": "1", "b": "2"}, artifact_contracts=[contract]),
        "two": part(shell("n"), params={"b": "2", "c": "3"}, artifact_contracts=[contract, {"id": "more"}]),
    }
    made = composed(parent("one", "two", params={"c": "3"}, artifact_contracts=[{"id": "own"}]), files).template
    assert made.params == {"a": "1", "b": "2", "c": "3"}
    assert [c.id for c in made.artifact_contracts] == ["own", "report", "more"]


@pytest.mark.parametrize(
    ("own", "other", "message"),
    [
        (
            {"params": {"w": "l"}},
            {"params": {"w": "r"}},
            "conflicting parameter default for `w`: stage `x` says `r`, but it is `l`",
        ),
        (
            {"artifact_contracts": [{"id": "c", "version": "1"}]},
            {"artifact_contracts": [{"id": "c"}]},
            "conflicting artifact contract `c`",
        ),
        (
            {"artifact_contracts": [{"id": "c", "schema": {"const": 1}}]},
            {"artifact_contracts": [{"id": "c", "schema": {"const": True}}]},
            "conflicting artifact contract `c`",
        ),
        ({"nodes": [shell("x__n")]}, {"params": {"a": "1"}}, "conflicting lock-scope context for node `x__n`"),
    ],
)
def test_conflicts(own: Tree, other: Tree, message: str) -> None:
    assert message in refused({**parent("x"), **own}, {"x": {**part(shell("n")), **other}})


def test_lock_scopes_are_the_parameters_of_the_file_a_node_comes_from() -> None:
    files = {
        "leaf": part(shell("n"), params={"branch": "b1"}),
        "other": part(shell("n"), params={"target_branch": "t1"}),
        "mid": parent("leaf", "other"),
    }
    made = composed(parent("mid", nodes=(shell("own"),), params={"target": "t0"}), files)
    inner = {"branch": "b1", "target_branch": "t1"}
    assert made.lock_scopes == {"own": {"target": "t0"}, "mid__leaf__n": inner, "mid__other__n": inner}


# warnings


def test_warnings_of_a_file_imported_twice_come_once() -> None:
    tree = {**parent(), "imports": [{"name": name, "path": "p"} for name in "xy"], "extra": 1}
    made = composed(tree, {"p": part(shell("n", colour="red"))})
    assert [w.origin for w in made.warnings] == ["/repo/flow.json", "/repo/p"]


def test_ws_04_13_a_link_that_waits_for_a_failure_handler_warns() -> None:
    one = part(shell("work", on={"failed": ["tidy"]}), shell("tidy"))
    made = composed(parent("one", "two", links=(("one", "two"),)), {"one": one, "two": part(shell("n"))})
    assert made.warnings == (
        TemplateWarning(
            "the link from `one` to `two` also waits for `one__tidy`, which is there for failures of other nodes",
            "/repo/flow.json",
        ),
    )


def test_parents_refer_to_stage_nodes_by_composed_id() -> None:
    nodes = (shell("first", on={"succeeded": ["x__n"]}), shell("last", after=("x__n",)))
    made = expanded(parent("x", nodes=nodes), {"x": part(shell("n"))})
    assert [node.id for node in made.nodes] == ["first", "last", "x__n"]
    assert "references unknown after node `x__n`" in refusal(*nodes[1:])
