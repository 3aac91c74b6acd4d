"""Saved plans made by the real terraform and tofu, read through them."""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plangate.errors import PlanParseError
from plangate.model.plan import Action
from plangate.parsers import terraform_plan, terraform_saved
from plangate.parsers.base import Input, Limits
from plangate.parsers.terraform_saved import (
    MEDIA_TYPE,
    inspect,
    is_saved_plan,
    made_by,
    read_saved_plan,
)
from plangate.terraform_cli import PlanCopy, private_copy
from tests.terraform_project import (
    NAMES,
    Project,
    a_project,
    a_stand_in,
    environment,
    hearing_signals,
    the_tool,
)

ONE = 'resource "terraform_data" "one" { input = "a" }\n'
LIMITS = Limits()


@pytest.fixture(params=NAMES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return a_project(the_tool(request.param), tmp_path / "project", ONE)


def read(project: Project, data: bytes, limits: Limits = LIMITS, **more: str) -> Input:
    return read_saved_plan(
        data,
        "tfplan",
        tool=project.tool,
        working_dir=project.folder,
        limits=limits,
        environ=environment(**more),
    )


@pytest.mark.terraform
def test_gives_the_plan_with_the_digest_and_the_size_of_the_binary(project: Project) -> None:
    data = project.plan()

    document = read(project, data)

    assert replace(document, data=b"") == Input(
        name="tfplan",
        data=b"",
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        media_type=MEDIA_TYPE,
    )
    plan = terraform_plan.parse(document, LIMITS)
    assert [(r.address, r.action) for r in plan.resources] == [("terraform_data.one", Action.CREATE)]
    assert (plan.source.sha256, plan.source.media_type) == (document.sha256, MEDIA_TYPE)


@pytest.mark.terraform
def test_knows_a_saved_plan_and_who_made_it(project: Project) -> None:
    data = project.plan()

    assert (is_saved_plan(data), made_by(data)) == (True, project.tool.name)


@pytest.mark.terraform
def test_a_folder_without_the_providers_is_told_to_init_where_the_plan_was_made(
    shared: Path, tmp_path: Path
) -> None:
    tool = the_tool("terraform")
    data = (shared / "terraform-runs" / "20-aws-three-tier-create" / "tfplan").read_bytes()

    with pytest.raises(PlanParseError) as error:
        read(Project(folder=tmp_path, tool=tool), data)

    if "another version" in str(error.value):
        pytest.skip(f"the shared plan was made by another version than {tool}")
    assert str(error.value) == f"tfplan: a provider that the plan needs is not installed in {tmp_path}"
    assert error.value.hint == (
        "run `terraform init` in the folder where the plan was made, and name that folder with --chdir"
    )


@pytest.mark.terraform
def test_a_plan_of_another_version_names_the_program_that_is_needed(tmp_path: Path) -> None:
    made, other = (the_tool(name) for name in NAMES)
    data = a_project(made, tmp_path, ONE).plan()

    with pytest.raises(PlanParseError) as error:
        read(Project(folder=tmp_path, tool=other), data)

    assert str(error.value) == f"tfplan: made by another version of terraform or tofu than {other}"
    assert "PLANGATE_TERRAFORM" in error.value.hint


@pytest.mark.terraform
def test_a_folder_that_does_not_exist_is_one_sentence(project: Project, tmp_path: Path) -> None:
    data = project.plan()

    with pytest.raises(PlanParseError, match=r"^tfplan: no folder .*missing, where it was made$"):
        read(replace(project, folder=tmp_path / "missing"), data)


@pytest.mark.terraform
def test_a_program_that_is_gone_gives_no_plan(project: Project) -> None:
    data = project.plan()
    gone = replace(project, tool=replace(project.tool, path=project.folder / "gone"))

    with pytest.raises(PlanParseError, match="cannot be run on it: No such file or directory"):
        read(gone, data)


@pytest.mark.terraform
def test_without_terraform_a_saved_plan_is_refused_with_a_way_out(project: Project) -> None:
    data = project.plan()

    with pytest.raises(PlanParseError) as error:
        read_saved_plan(
            data,
            "a/tfplan",
            tool=None,
            working_dir=project.folder,
            limits=LIMITS,
            environ=environment(),
        )

    assert str(error.value) == (
        "a/tfplan: a saved plan, and there is neither terraform nor tofu on PATH to read it"
    )
    assert "terraform show -json tfplan" in error.value.hint


@pytest.mark.terraform
def test_providers_that_read_a_plan_see_no_credentials_and_no_home(tmp_path: Path) -> None:
    """With a double of terraform that notes its environment, as a provider that it starts would see it."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    data = real.plan()
    home = tmp_path / "home"
    home.mkdir()
    (home / ".terraformrc").write_text("", encoding="utf-8")
    stand_in = a_stand_in(
        tmp_path,
        real.tool,
        "(here / 'seen').write_text(json.dumps([dict(os.environ), os.listdir(os.environ['HOME'])]))",
    )
    user = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_DATA_DIR": ".terraform",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_PROFILE": "prod",
        "GOOGLE_CREDENTIALS": "g",
        "ARM_CLIENT_SECRET": "r",
        "VAULT_TOKEN": "v",
        "HTTPS_PROXY": "http://user:password@proxy",
        "TF_TOKEN_app_terraform_io": "t",
        "TF_VAR_password": "p",
        "TF_CLI_ARGS_show": "-help",
        "TF_LOG": "trace",
        "PLANGATE_STATE_DIR": "s",
    }

    read_saved_plan(
        data,
        "tfplan",
        tool=replace(real, tool=stand_in).tool,
        working_dir=real.folder,
        limits=LIMITS,
        environ=user,
    )

    seen, in_home = msgspec.json.decode((tmp_path / "seen").read_bytes())
    assert in_home == []
    assert seen.pop("HOME") != str(home)
    seen.pop("LC_CTYPE", None)  # set by the double's own Python
    assert not Path(seen.pop("TF_DATA_DIR")).is_relative_to(real.folder)
    assert seen == {
        "PATH": os.environ["PATH"],
        "TF_CLI_CONFIG_FILE": str(home / ".terraformrc"),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.mark.terraform
@pytest.mark.parametrize(
    ("script", "limits", "problem"),
    [
        ("sys.exit(0)", LIMITS, "`terraform show` succeeded and said nothing"),
        ("time.sleep(60)", replace(LIMITS, show_timeout_s=0.5), "`terraform show` took more than 0.5 s"),
        (
            "print('[' * 5_000_000); sys.exit(0)",
            replace(LIMITS, max_plan_bytes=1_000_000),
            "its JSON is more than 1000000 bytes",
        ),
        ("print('secret', file=sys.stderr); sys.exit(7)", LIMITS, "`terraform show` failed with exit code 7"),
        ("os.kill(os.getpid(), 9)", LIMITS, "`terraform show` failed with exit code -9"),
        ("print('{}'); sys.exit(1)", LIMITS, "`terraform show` failed with exit code 1"),
    ],
)
def test_a_terraform_that_does_not_show_the_plan_gives_no_plan(
    tmp_path: Path, script: str, limits: Limits, problem: str
) -> None:
    """With a double of terraform: the real one cannot be made to do this."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    data = real.plan()
    stand_in = a_stand_in(tmp_path, real.tool, script)

    with pytest.raises(PlanParseError) as error:
        read(replace(real, tool=stand_in), data, limits)

    assert str(error.value) == f"tfplan: {problem}"
    assert "secret" not in f"{error.value} {error.value.hint}"


@pytest.mark.terraform
def test_ctrl_c_while_reading_ends_the_program_and_is_passed_on(tmp_path: Path) -> None:
    """With a double of terraform: the real one is too fast."""
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    data = real.plan()
    stand_in = a_stand_in(tmp_path, real.tool, "os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")

    with hearing_signals(), pytest.raises(KeyboardInterrupt):
        read(replace(real, tool=stand_in), data)


@pytest.mark.terraform
def test_a_private_file_that_was_swapped_while_it_was_read_gives_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a double of terraform, which does the swapping; where there is no sealed memory."""

    def in_a_file(data: bytes) -> AbstractContextManager[PlanCopy]:
        return private_copy(data, memory=False)

    monkeypatch.setattr(terraform_saved, "private_copy", in_a_file)
    real = a_project(the_tool(NAMES[0]), tmp_path / "project", ONE)
    data = real.plan()
    swap = "pathlib.Path(arguments[-1]).chmod(0o600); pathlib.Path(arguments[-1]).write_bytes(b'')"
    stand_in = a_stand_in(tmp_path, real.tool, f"code = real(*arguments)\n{swap}\nsys.exit(code)")

    assert read(real, data).size == len(data)
    with pytest.raises(PlanParseError, match="its private copy was changed while it was read"):
        read(replace(real, tool=stand_in), data)


def a_zip(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, text in members:
            archive.writestr(zipfile.ZipInfo(name), text, compression)
    return out.getvalue()


def a_zip_with(**fields: int) -> bytes:
    """A plan with one more member whose entry has these fields."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tfplan", b"p")
        member = zipfile.ZipInfo("odd")
        for name, value in fields.items():
            setattr(member, name, value)
        archive.writestr(member, b"text")
    return out.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "C:/evil",
        "a\\..\\evil",
        "./a",
        "a//b",
        "",
        "line\nbreak",
        "\u202eevil",
    ],
)
def test_a_member_that_leads_out_is_refused_before_any_program_sees_it(name: str) -> None:
    data = a_zip(("tfplan", b"p"), (name, b"x"))

    with pytest.raises(PlanParseError, match="leads out of the archive, or hides where it leads"):
        inspect(data, "tfplan", LIMITS)


def test_a_name_cut_short_by_a_nul_is_refused() -> None:
    data = a_zip(("tfplan", b"p"), ("evilX", b"x")).replace(b"evilX", b"evi\x00l")

    with pytest.raises(PlanParseError):
        inspect(data, "tfplan", LIMITS)


@pytest.mark.terraform
def test_no_program_sees_an_archive_that_is_refused(tmp_path: Path) -> None:
    """With a double of terraform that says whether it was run."""
    real = Project(folder=tmp_path, tool=the_tool(NAMES[0]))
    stand_in = a_stand_in(tmp_path, real.tool, "(here / 'ran').touch()")

    with pytest.raises(PlanParseError, match="leads out of the archive"):
        read(replace(real, tool=stand_in), a_zip(("tfplan", b"p"), ("../evil", b"x")))

    assert not real.has("ran")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (a_zip(("readme", b"x")), "a zip without a member named tfplan, so not a saved plan"),
        (b"PK\x03\x04 not a zip", "a damaged zip: File is not a zip file"),
        (b"", "a damaged zip: File is not a zip file"),
        (
            a_zip(("tfplan", b"p"), ("a", b"\x00" * 8_000_000)),
            "member a: unpacks to more than 400 times its size",
        ),
        (a_zip_with(external_attr=0o120777 << 16), "member odd: a link or a special file"),
        (a_zip_with(external_attr=0o010644 << 16), "member odd: a link or a special file"),
        (a_zip(("tfplan", b"p"), compression=zipfile.ZIP_LZMA), "member tfplan: an unusual compression"),
    ],
)
def test_an_archive_that_is_no_plan_is_refused_with_one_sentence(data: bytes, problem: str) -> None:
    with pytest.raises(PlanParseError) as error:
        inspect(data, "tfplan", LIMITS)

    assert str(error.value) == f"tfplan: {problem}"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused() -> None:
    with pytest.raises(PlanParseError, match="member tfplan: a name that comes twice"):
        inspect(a_zip(("tfplan", b"judged"), ("tfplan", b"run")), "tfplan", LIMITS)


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(a_zip(("tfplan", b"p")))
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1

    with pytest.raises(PlanParseError, match="member tfplan: encrypted"):
        inspect(bytes(data), "tfplan", LIMITS)


def test_what_unpacks_to_more_than_the_limit_is_refused() -> None:
    data = a_zip(("tfplan", b"p"), *((f"m{i}", os.urandom(100)) for i in range(20)))

    with pytest.raises(PlanParseError, match=r"unpacks to more than 1000 bytes|bytes \(limit: 1000\)"):
        inspect(data, "tfplan", replace(LIMITS, max_plan_bytes=1000))
    with pytest.raises(PlanParseError, match="unpacks to more than"):
        inspect(a_zip(("tfplan", b"a" * 5000)), "tfplan", replace(LIMITS, max_plan_bytes=1000))


@pytest.mark.parametrize("claimed", [0, 10, 4999, 5001])
def test_sizes_in_the_index_are_not_believed(claimed: int) -> None:
    text = b"a" * 5000
    data = bytearray(a_zip(("tfplan", text)))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, entry + 24, claimed)
    struct.pack_into("<L", data, entry + 16, zlib.crc32(text[:claimed]))

    with pytest.raises(PlanParseError, match="member tfplan: its content is not what the index says"):
        inspect(bytes(data), "tfplan", LIMITS)


def test_more_members_than_a_plan_can_have_are_refused_without_listing_them() -> None:
    with pytest.raises(PlanParseError, match="a zip of 30000 members"):
        inspect(b"PK\x03\x04" + b"PK\x01\x02" * 30_000, "tfplan", LIMITS)


def test_arbitrary_changes_to_an_archive_give_a_parse_error_or_nothing() -> None:
    good = a_zip(("tfplan", b"plan" * 20), ("tfconfig/m-/main.tf", b"text"), (".terraform.lock.hcl", b"#"))

    @given(at=st.integers(0, len(good) - 1), by=st.binary(min_size=1, max_size=8), cut=st.integers(0, 40))
    def holds(at: int, by: bytes, cut: int) -> None:
        data = (good[:at] + by + good[at + len(by) :])[: len(good) - cut]
        is_saved_plan(data)
        made_by(data)
        with suppress(PlanParseError):
            inspect(data, "tfplan", LIMITS)

    holds()
