from pathlib import Path

import pytest

from plangate.errors import UsageError
from plangate.terraform_cli import VARIABLE, Tool, find_terraform


def a_program(path: Path, says: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nprintf '%b' '{says}'\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def places(tmp_path: Path) -> Path:
    a_program(tmp_path / "bin" / "terraform", "Terraform v1.11.4\\non linux_amd64\\n")
    a_program(tmp_path / "bin" / "tofu", "OpenTofu v1.10.10\\n")
    return tmp_path


def test_finds_terraform_first_then_the_one_that_is_preferred(places: Path) -> None:
    environ = {"PATH": f"/nowhere:{places / 'bin'}:/bin"}

    assert find_terraform(environ=environ) == Tool(
        path=places / "bin" / "terraform", name="terraform", version="1.11.4"
    )
    assert find_terraform(environ=environ, prefer="tofu") == Tool(
        path=places / "bin" / "tofu", name="tofu", version="1.10.10"
    )


def test_the_other_one_will_do_when_the_preferred_is_missing(places: Path) -> None:
    (places / "bin" / "tofu").unlink()

    found = find_terraform(environ={"PATH": f"{places / 'bin'}:/bin"}, prefer="tofu")

    assert str(found) == "terraform 1.11.4"


def test_what_is_configured_comes_before_the_variable_and_that_before_path(places: Path) -> None:
    other = a_program(places / "other" / "tf", "OpenTofu v9.9.9\\n")
    third = a_program(places / "third" / "tf", "Terraform v8.8.8\\n")
    environ = {"PATH": f"{places / 'bin'}:/bin", VARIABLE: str(third)}

    assert str(find_terraform(environ=environ)) == "terraform 8.8.8"
    assert str(find_terraform(str(other), environ=environ)) == "tofu 9.9.9"
    assert str(find_terraform("tofu", environ=environ)) == "tofu 1.10.10"


def test_there_may_be_none(tmp_path: Path) -> None:
    assert find_terraform(environ={"PATH": str(tmp_path)}) is None


@pytest.mark.parametrize("path", ["", ".", ":", "bin", "bin:."])
def test_never_one_from_the_current_directory(
    places: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    a_program(places / "terraform", "Terraform v6.6.6\\n")
    monkeypatch.chdir(places)

    assert find_terraform(environ={"PATH": path}) is None


@pytest.mark.parametrize("configured", ["./bin/terraform", "bin/terraform", "../x"])
def test_a_relative_path_is_refused(places: Path, monkeypatch: pytest.MonkeyPatch, configured: str) -> None:
    monkeypatch.chdir(places)

    with pytest.raises(UsageError, match="a relative path to terraform"):
        find_terraform(configured, environ={"PATH": str(places / "bin")})


def test_what_is_configured_and_missing_is_not_replaced_by_another(places: Path) -> None:
    environ = {"PATH": str(places / "bin")}

    with pytest.raises(UsageError, match="/missing: no such program"):
        find_terraform("/missing", environ=environ)
    with pytest.raises(UsageError, match="nothing-here: no such program"):
        find_terraform(environ=environ | {VARIABLE: "nothing-here"})


@pytest.mark.parametrize(
    ("says", "code"),
    [("Terraform v1.11.4\\n", 1), ("", 0), ("hello", 0), ("Terraform v", 0), ("Vault v1\\n", 0)],
)
def test_a_program_that_does_not_say_that_it_is_terraform_is_refused(
    tmp_path: Path, says: str, code: int
) -> None:
    a_program(tmp_path / "terraform", says, code)

    with pytest.raises(UsageError, match="neither terraform nor tofu"):
        find_terraform(environ={"PATH": f"{tmp_path}:/bin"})


def test_a_file_that_cannot_be_run_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "terraform").write_bytes(b"\x7fELF garbage")
    (tmp_path / "terraform").chmod(0o755)

    with pytest.raises(UsageError, match="cannot be run"):
        find_terraform(environ={"PATH": str(tmp_path)})
