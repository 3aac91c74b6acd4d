"""`plangate policy docs`: pages that say what a rule does, do nothing themselves, and lead somewhere."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plangate.authoring import docs, docs_html, docs_markdown, scaffold
from plangate.authoring.docs import RulePage, rule_pages
from plangate.authoring.docs_built_in import built_in_pages
from plangate.authoring.docs_examples import MAX_RESOURCES, SENSITIVE
from plangate.authoring.fixtures import MAX_FIXTURE_BYTES
from plangate.errors import PolicyLoadError, UsageError
from plangate.policy.base import PolicySource
from plangate.policy.load import shipped_policies
from plangate.rules.registry import RULES
from tests.command_line import run
from tests.tools import ROOT
from tests.unit.policy.builders import a_policy, write

FIXTURES = ROOT / "fixtures" / "policies"
SHIPPED = rule_pages([shipped_policies()], fixtures=[FIXTURES])

HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(2)> [a](javascript:b) `c` | d &lt; *e* \\'


class Read(HTMLParser):
    """Tags, their attributes, and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def targets(self) -> list[str]:
        return [
            value or ""
            for _, found in self.tags
            for name, value in found.items()
            if name in {"href", "src", "action", "srcset", "data", "poster"}
        ]


def new(folder: Path, title: str = "", name: str = "storage/some_rule") -> PolicySource:
    asked = scaffold.request(name, "storage.bucket", title)
    scaffold.write(folder, scaffold.files(asked))
    return PolicySource(root=folder, name="own")


def one(source: PolicySource) -> RulePage:
    (page,) = rule_pages([source])
    return page


def change(file: Path, change: dict[str, Any]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))


# --- The shipped policies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", SHIPPED, ids=lambda page: page.spec.id)
def test_every_shipped_policy_shows_what_fails_and_what_passes(page: RulePage) -> None:
    bad, good = page.examples.bad, page.examples.good
    assert bad is not None
    assert good is not None
    assert bad.text != good.text


def test_every_shipped_policy_has_a_page_that_the_index_leads_to() -> None:
    made = docs_markdown.pages(SHIPPED)
    rules = {path.stem for path in shipped_policies().root.glob("*/*.rego") if path.parent.name != "lib"}
    rules = {name for name in rules if not name.endswith("_test")}
    assert made.keys() == {"index.md", *(f"{name}.md" for name in rules)}
    assert set(re.findall(r"\]\((\w+\.md)\)", made["index.md"])) == made.keys() - {"index.md"}


def test_the_site_leads_only_to_its_own_pages_and_to_references() -> None:
    made = docs_html.pages(SHIPPED)
    references = {docs_markdown.url_of(link.url) for page in SHIPPED for link in page.links}
    targets = {target for text in made.values() for target in Read(text).targets()}
    assert targets == made.keys() | references


def test_the_site_asks_nothing_of_any_other_place() -> None:
    for text in docs_html.pages(SHIPPED).values():
        read = Read(text)
        assert {tag for tag, _ in read.tags} & {
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "video",
        } == set()
        assert all("src" not in found for _, found in read.tags)
        assert "url(" not in text
        assert "@import" not in text
        assert "default-src 'none'" in text


def test_pages_are_the_same_each_time() -> None:
    again = rule_pages([shipped_policies()], fixtures=[FIXTURES])
    for form in (docs_markdown, docs_html):
        assert form.pages(again) == form.pages(SHIPPED)


def test_every_control_is_in_the_table_with_every_rule_for_it() -> None:
    told = {
        (name, control, page.spec.id)
        for page in SHIPPED
        for name, controls in page.spec.frameworks
        for control in controls
    }
    assert told == {
        (name, control, page.spec.id) for name, control, rules in docs.by_framework(SHIPPED) for page in rules
    }


# --- One page -----------------------------------------------------------------------------------------------


def test_a_page_tells_all_of_metadata_and_fixtures(tmp_path: Path) -> None:
    source = new(tmp_path)
    rule = tmp_path / "storage" / "some_rule.rego"
    rule.write_text(
        rule.read_text().replace(
            "# custom:\n",
            "# related_resources:\n#   - https://example.com/plain\n#   - ref: https://example.com/b\n"
            "#     description: The book\n# custom:\n#   on_unknown: oblige\n#   frameworks: {soc-2: [CC6.1]}\n"
            "#   settings:\n#     days: {description: How many., type: integer, default: 7}\n",
        )
    )
    (page,) = rule_pages([source])
    (_, text), (_, site) = (form.pages([page]).popitem() for form in (docs_markdown, docs_html))
    spec = page.spec
    shown = Read(site).text
    for told in (
        spec.title,
        spec.description,
        spec.remediation,
        "storage.bucket",
        "CC6.1",
        "How many.",
        "The book",
    ):
        assert told in text
        assert told in shown
    assert "| `days` | How many. | `7` |" in text
    assert "- <https://example.com/plain>\n- [The book](https://example.com/b)" in text
    assert "An unknown becomes an obligation" in text
    assert [said for _, _, said in page.examples.cases] == ["fail", "pass", "unknown", "unknown"]


def test_an_example_is_what_the_rule_reads_and_no_more(tmp_path: Path) -> None:
    source = new(tmp_path)
    file = tmp_path / "fixtures" / "some_rule" / "fail_versioned.json"
    plan = json.loads(file.read_text())
    plan["resources"][0]["after"] = {"bucket": "a-name"}
    file.write_text(json.dumps(plan))
    bad = one(source).examples.bad
    assert bad is not None
    assert json.loads(bad.text) == {
        "address": "aws_s3_bucket.example", "type": "aws_s3_bucket", "action": "create", "facts": {"versioned": False},
    }  # fmt: skip


def test_what_is_sensitive_is_not_shown(tmp_path: Path) -> None:
    source = new(tmp_path)
    rule = tmp_path / "storage" / "some_rule.rego"
    rule.write_text(
        rule.read_text().replace("resource.facts.versioned == false", 'resource.after.a[_].key == "x"')
    )
    file = tmp_path / "fixtures" / "some_rule" / "fail_versioned.json"
    plan = json.loads(file.read_text())
    plan["resources"][0] |= {
        "after": {"a": [{"key": "hunter2"}, {"key": "seen"}], "b": 1}, "sensitive": ["/a/0/key"],
    }  # fmt: skip
    file.write_text(json.dumps(plan))
    bad = one(source).examples.bad
    assert bad is not None
    assert json.loads(bad.text)["after"] == {"a": [{"key": SENSITIVE}, {"key": "seen"}]}


def test_a_rule_without_fixtures_says_so(tmp_path: Path) -> None:
    source = new(tmp_path)
    for file in (tmp_path / "fixtures" / "some_rule").iterdir():
        file.unlink()
    page = one(source)
    assert "There is no example: no case `fail_…`" in docs_markdown.page(page)
    assert "There is no example: no case pass_…" in Read(docs_html.page(page)).text


def test_a_rule_called_index_does_not_take_the_place_of_the_index(tmp_path: Path) -> None:
    page = one(new(tmp_path, name="storage/index"))
    for form, suffix in ((docs_markdown, "md"), (docs_html, "html")):
        assert form.pages([page]).keys() == {f"index.{suffix}", f"index_.{suffix}"}


def test_of_many_resources_only_some_are_shown(tmp_path: Path) -> None:
    source = new(tmp_path)
    rule = tmp_path / "storage" / "some_rule.rego"
    rule.write_text(
        rule.read_text()
        .replace("#   kinds: [storage.bucket]\n", "#   scope: plan\n")
        .replace('lib.finding(resource, "', 'lib.plan_finding("')
    )
    folder = tmp_path / "fixtures" / "some_rule"
    file = folder / "fail_versioned.json"
    plan = json.loads(file.read_text())
    change(file, {"resources": plan["resources"] * (MAX_RESOURCES + 5)})
    change(folder / "cases.json", {"fail_versioned": {"": "fail"}})
    bad = one(source).examples.bad
    assert bad is not None
    assert json.loads(bad.text)["resources"][MAX_RESOURCES:] == ["… 5 more"]


# --- Hostile texts ------------------------------------------------------------------------------------------


def test_hostile_texts_are_shown_and_do_nothing(tmp_path: Path) -> None:
    page = one(new(tmp_path, HOSTILE))
    assert page.spec.title == HOSTILE
    for text in docs_html.pages([page]).values():
        read = Read(text)
        assert " ".join(HOSTILE.split()) in read.text
        assert [tag for tag, _ in read.tags if tag == "img"] == []
        assert text.count("<script>") == ('id="search"' in text)
        assert not [target for target in read.targets() if target.startswith("javascript:")]
    for text in docs_markdown.pages([page]).values():
        assert "<script" not in text
        assert "<img" not in text
        assert "[a](" not in text
        assert r"\| d &amp;lt; \*e\* \\" in text


@given(text=st.text())
def test_escaped_text_is_read_back_as_itself(text: str) -> None:
    once = " ".join(text.split())
    read = Read(f'<p title="{docs_html.escape(text)}">{docs_html.escape(text)}</p>')
    assert [tag for tag, _ in read.tags] == ["p"]
    assert read.text == read.tags[0][1]["title"]
    assert len(read.text) == len(once)
    assert all(
        mine == theirs or not theirs.isprintable() for mine, theirs in zip(read.text, once, strict=True)
    )


@given(text=st.text(alphabet="<>&[]`*|\\_!~# a1.-\n"))
def test_escaped_markdown_has_no_marks_left(text: str) -> None:
    escaped = docs_markdown.escape(text)
    bare = re.sub(r"\\[\\`*\[\]|~_#+=-]", "", escaped)
    assert "\n" not in escaped
    assert not set(bare) & set("<>[]`*|\\~")
    assert not re.match(r"#|-|\d+[.)] ", bare) or escaped.startswith("\\")


def test_an_address_cannot_end_the_link_it_stands_in() -> None:
    url = 'https://example.com/> <script>"\n'
    assert docs_markdown.link(url, url) == "<https://example.com/%3E%20%3Cscript%3E%22%0A>"
    assert docs_markdown.link("https://example.com/a)b", "c") == "[c](https://example.com/a%29b)"


# --- Fixtures that are not what they should be --------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("cases.json", "{", "is not JSON"),
        ("cases.json", "[" * 100_000, "is not JSON"),
        ("cases.json", "[]", "must map names of cases"),
        ("cases.json", '{"fail_a": 1}', "must map names of cases"),
        ("cases.json", '{"fail_../../cases": {"": "fail"}}', "must map names of cases"),
        ("cases.json", '{"fail_gone": {"": "fail"}}', "cannot be read"),
        (
            "cases.json",
            '{"fail_versioned": {"aws_s3_bucket.other": "fail"}}',
            "has no resource aws_s3_bucket.other",
        ),
        ("fail_versioned.json", "[]", "is not a plan document"),
        ("fail_versioned.json", '{"resources": [1]}', "is not a plan document"),
        ("fail_versioned.json", " " * (MAX_FIXTURE_BYTES + 1), "has more than"),
    ],
)
def test_a_broken_fixture_is_an_error(tmp_path: Path, file: str, text: str, problem: str) -> None:
    source = new(tmp_path)
    (tmp_path / "fixtures" / "some_rule" / file).write_text(text)
    with pytest.raises(PolicyLoadError, match=re.escape(problem)):
        rule_pages([source])


def test_a_fixture_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    source = new(tmp_path / "own")
    file = tmp_path / "own" / "fixtures" / "some_rule" / "fail_versioned.json"
    file.rename(tmp_path / "outside.json")
    file.symlink_to(tmp_path / "outside.json")
    with pytest.raises(PolicyLoadError, match="this link leaves the policy folder"):
        rule_pages([source])


# --- The folder ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [docs_markdown, docs_html], ids=["markdown", "html"])
def test_pages_of_an_earlier_run_are_replaced_and_removed(tmp_path: Path, form: Any) -> None:
    first, second = form.pages(SHIPPED[:2]), form.pages(SHIPPED[1:3])
    docs.write(tmp_path, first)
    (tmp_path / "notes.txt").write_text("mine")
    docs.write(tmp_path, second)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == second | {"notes.txt": "mine"}


@pytest.mark.parametrize("name", ["index.html", f"{SHIPPED[0].name}.html"])
def test_what_somebody_else_wrote_is_never_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="was not made by this command"):
        docs.write(tmp_path, docs_html.pages(SHIPPED))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine"}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text(docs_html.index(SHIPPED))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").symlink_to(outside)
    with pytest.raises(UsageError, match="was not made by this command"):
        docs.write(tmp_path / "out", docs_html.pages(SHIPPED))


# --- The command --------------------------------------------------------------------------------------------


def test_the_command_writes_pages_and_names_what_lacks_examples(tmp_path: Path) -> None:
    new(tmp_path / "own")
    new(tmp_path / "own", name="storage/other")
    (tmp_path / "own" / "fixtures" / "other" / "cases.json").write_text("{}")
    done = run("policy", "docs", "own", "--out", "out", "--format", "html", cwd=tmp_path)
    assert done.code == 0
    assert done.out == f"out/index.html: 2 policies, {len(RULES)} built-in rules\n"
    assert done.err == "without an example that fails and one that passes: other\n"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "index.html",
        "some_rule.html",
        "other.html",
        *(f"{page.name}.html" for page in built_in_pages()),
    }


def test_a_policy_that_the_gate_refuses_has_no_page(tmp_path: Path) -> None:
    new(tmp_path / "own")
    (tmp_path / "own" / "storage" / "some_rule.rego").write_text("package policies.storage.some_rule\n")
    done = run("policy", "docs", "own", "--out", "out", cwd=tmp_path)
    assert (done.code, (tmp_path / "out").exists()) == (3, False)


def test_an_unknown_format_is_a_usage_error(tmp_path: Path) -> None:
    done = run("policy", "docs", str(tmp_path), "--format", "pdf", cwd=tmp_path)
    assert done.code == 2
    assert "--format: 'pdf' (expected one of: markdown, html)" in done.err


def test_the_site_shows_and_finds_every_built_in_rule() -> None:
    made = built_in_pages()
    assert [page.spec for page in made] == [RULES[name].spec for name in sorted(RULES)]
    site = docs_html.pages(made)
    for page in made:
        rule, shown = RULES[page.spec.id], site[f"{page.name}.html"]
        assert f'<a href="{page.name}.html">{page.spec.id}</a>' in site["index.html"]
        wanted = [page.spec.title, page.spec.remediation, rule.rationale, page.spec.description]
        wanted += [*rule.references, *rule.settings_schema.get("properties", {})]
        assert [text for text in wanted if docs_html.escape(text) not in shown] == []
        for source in (rule.bad, rule.good):
            assert f"<code>{html.escape(source.strip())}</code></pre>" in shown
        assert ("Package" in shown, "Case " in shown) == (False, False)
        words = docs_html.escape(f"{rule.rationale}".lower())
        assert words in site["index.html"]


def test_a_page_of_a_policy_is_never_that_of_a_built_in_rule(tmp_path: Path) -> None:
    taken = next(iter(RULES))
    slug = taken.replace("-", "_")
    (page,) = rule_pages([write(tmp_path, {f"{slug}.rego": a_policy(slug=slug)})])
    built_in = built_in_pages()
    assert page.spec.id == taken
    assert page.name not in {each.name for each in built_in}
    assert len(docs_html.pages((page, *built_in))) == len(RULES) + 2
