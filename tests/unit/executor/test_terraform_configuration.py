import io
import json
import zipfile
from pathlib import Path

import pytest

from plangate.executor.terraform_configuration import changed_files

LIMIT = 1_000_000
ROOT = {"Key": "", "Dir": "."}
NET = {"Key": "net", "Source": "./mod", "Dir": "mod"}


def a_saved_plan(files: dict[str, str], modules: list[dict[str, str]] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"tfconfig/{name}", text)
        archive.writestr("tfconfig/modules.json", json.dumps([ROOT] if modules is None else modules))
    return out.getvalue()


def a_folder(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_same_configuration_is_the_same_whatever_else_lies_beside_it(tmp_path: Path) -> None:
    plan = a_saved_plan({"m-/main.tf": "a", "m-/b.tf.json": "{}", "m-net/main.tf": "c"}, [ROOT, NET])
    there = {"main.tf": "a", "b.tf.json": "{}", "mod/main.tf": "c"}
    beside = {"x.tfvars": "", "README": "", ".hidden.tf": "", "main.tf~": "", "#x.tf#": "", "other/x.tf": ""}

    assert changed_files(plan, a_folder(tmp_path, there | beside), max_bytes=LIMIT) == ()


def test_names_what_changed_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    plan = a_saved_plan({"m-/main.tf": "a", "m-/gone.tf": "b", "m-net/main.tf": "c"}, [ROOT, NET])
    folder = a_folder(tmp_path, {"main.tf": "a", "new.tf": "", "override.tf.json": "{}", "mod/main.tf": "C"})

    assert changed_files(plan, folder, max_bytes=LIMIT) == (
        "gone.tf",
        "mod/main.tf",
        "new.tf",
        "override.tf.json",
    )


def test_tofu_leaves_out_a_file_that_its_own_takes_the_place_of(tmp_path: Path) -> None:
    plan = a_saved_plan({"m-/main.tofu": "a"})

    assert changed_files(plan, a_folder(tmp_path, {"main.tofu": "a", "main.tf": "b"}), max_bytes=LIMIT) == ()
    assert changed_files(plan, a_folder(tmp_path, {"new.tofu": ""}), max_bytes=LIMIT) == ("new.tofu",)


def test_a_folder_that_is_gone_has_changed(tmp_path: Path) -> None:
    plan = a_saved_plan({"m-/main.tf": "a"})

    assert changed_files(plan, tmp_path / "missing", max_bytes=LIMIT) == ("main.tf",)


@pytest.mark.parametrize(
    "plan",
    [
        b"",
        a_saved_plan({"m-/main.tf": "a"}, []),
        a_saved_plan({}, [ROOT]),
        a_saved_plan({"m-/main.tf": "a" * LIMIT}),
        a_saved_plan({"m-/main.tf": "a"}, [{"Key": ""}]),
    ],
)
def test_a_copy_that_cannot_be_read_is_an_error_and_never_the_same(plan: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the plan's copy of its configuration cannot be read"):
        changed_files(plan, a_folder(tmp_path, {"main.tf": "a"}), max_bytes=LIMIT)
