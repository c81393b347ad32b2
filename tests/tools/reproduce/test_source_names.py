"""What a module's source calls its files and devices, by one grep."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagefault_doctor.tools.reproduce.source_names import (
    Place,
    SourceNames,
    grep_command,
    names_in_source,
)

PROC = """\
static const struct proc_ops quay_ops = {
	.proc_open = quay_open,
	.proc_read = seq_read,
	.proc_write = quay_write,
};
static const struct proc_ops crane_ops = {
	.proc_ioctl = crane_ioctl,
};
	folder = proc_mkdir("harbour", NULL);
	proc_create("quay", 0600, NULL, &quay_ops);
	proc_create_data("crane", 0600,
		folder, &crane_ops, data);
	proc_create_single("berths", 0444, NULL, berths_show);
"""
SYSFS = """\
static DEVICE_ATTR_RO(depth);
static DEVICE_ATTR(tide, 0644, tide_show, tide_set);
static struct kobj_attribute buoy = __ATTR_RW(buoy);
	folder = kobject_create_and_add("harbour", kernel_kobj);
"""
DEVICES = """\
static const struct file_operations gull_operations = {
	.owner = THIS_MODULE,
	.write = gull_write,
};
static struct miscdevice gull_device = {
	.name = "gull",
	.fops = &gull_operations,
};
static struct file_system_type reef_type = {
	.name = "reef",
};
static struct platform_driver pier_driver = {
	.driver = { .name = "pier" },
};
	device_create(class, NULL, number, NULL, "tern%d", 0);
	device = alloc_netdev(sizeof(struct net), "hawser%d", NET_NAME_ENUM, hawser_setup);
"""
PARAMETERS = """\
static const struct kernel_param_ops knots_ops = {
	.set = knots_set,
	.get = knots_get,
};
module_param(draught, uint, 0644);
module_param(flag, charp, 0444);
module_param_cb(knots, &knots_ops, NULL, 0600);
"""
WORDS = """\
	if (sysfs_streq(word, "moor"))
	if (!strncmp(text, "cast off", 8))
	case '+':
	if (*text == '(')
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def names(folder: Path, **sources: str) -> SourceNames:
    """Return what the real grep finds in these files."""
    for name, text in sources.items():
        (folder / f"{name}.c").write_text(text)
    ran = subprocess.run(
        grep_command(str(folder)), capture_output=True, text=True, check=True, timeout=10
    )
    return names_in_source(ran.stdout)


def paths(found: SourceNames) -> dict[str, tuple[str, dict[str, str]]]:
    return {file.name: (file.path, file.handlers) for file in found.files}


def test_files_below_proc_have_their_folder_and_the_functions_behind_them(folder: Path) -> None:
    found = paths(names(folder, harbour=PROC))
    assert found["quay"] == (
        "/proc/quay",
        {"open": "quay_open", "read": "seq_read", "write": "quay_write"},
    )
    assert found["crane"] == ("/proc/harbour/crane", {"ioctl": "crane_ioctl"})
    assert found["berths"] == ("/proc/berths", {"read": "berths_show"})


def test_attributes_are_read_and_written_by_the_functions_of_their_macros(folder: Path) -> None:
    found = paths(names(folder, harbour=SYSFS))
    assert found["depth"] == ("/sys/kernel/harbour/depth", {"read": "depth_show"})
    assert found["tide"][1] == {"read": "tide_show", "write": "tide_set"}
    assert found["buoy"][1] == {"read": "buoy_show", "write": "buoy_store"}


def test_of_names_in_tables_those_of_devices_and_file_systems_count(folder: Path) -> None:
    found = names(folder, harbour=DEVICES)
    assert paths(found)["gull"] == ("/dev/gull", {"write": "gull_write"})
    assert paths(found)["tern0"][0] == "/dev/tern0"
    assert (found.file_systems, found.net_devices) == (("reef",), ("hawser0",))
    assert "pier" not in paths(found)


def test_a_parameter_can_be_written_where_its_mode_says_so(folder: Path) -> None:
    found = {file.name: file for file in names(folder, harbour=PARAMETERS).files}
    assert {file.place for file in found.values()} == {Place.PARAMETER}
    assert set(found["draught"].handlers) == {"read", "write"}
    assert set(found["flag"].handlers) == {"read"}
    assert found["knots"].handlers == {"read": "knots_get", "write": "knots_set"}


def test_debugfs_files_lie_in_the_folder_that_is_made_for_them(folder: Path) -> None:
    text = """\
	root = debugfs_create_dir("harbour", NULL);
	debugfs_create_file("log", 0600, root, NULL, &log_fops);
	debugfs_create_u32("fees", 0644, root, &fees);
"""
    found = paths(names(folder, harbour=text))
    assert found["log"][0] == "/sys/kernel/debug/harbour/log"
    assert found["fees"][0] == "/sys/kernel/debug/harbour/fees"


def test_words_that_input_is_compared_with_are_those_of_their_file(folder: Path) -> None:
    found = names(folder, harbour=WORDS, quay='	if (!strcmp(text, "load"))\n')
    assert found.words == (
        ("harbour", "moor"),
        ("harbour", "+"),
        ("harbour", "("),
        ("quay", "load"),
    )


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a b", "$(reboot)", "-rf", "a;b", "x'y", "%s", "a/../b", "é", ""]
)
def test_names_that_are_no_plain_file_names_are_left_out(folder: Path, name: str) -> None:
    found = names(
        folder,
        harbour=f'	proc_create("{name}", 0600, NULL, &ops);\n'
        f'	device_create(class, NULL, number, NULL, "{name}");\n'
        f'	if (sysfs_streq(word, "{name}\'"))\n',
    )
    assert (found.files, found.words) == ((), ())


def test_links_out_of_the_folder_are_not_followed(folder: Path) -> None:
    (folder / "outside").mkdir()
    (folder / "outside/other.c").write_text('	proc_create("other", 0600, NULL, &ops);\n')
    (folder / "source").mkdir()
    os.symlink("../outside", folder / "source/link")
    os.symlink("../outside/other.c", folder / "source/other.c")
    found = names(folder / "source", harbour='	proc_create("own", 0600, NULL, &ops);\n')
    assert list(paths(found)) == ["own"]


def test_a_folder_that_begins_with_a_dash_is_no_option() -> None:
    argv = grep_command("-f")
    assert argv[-2:] == ("--", "-f")
    assert "-R" not in argv


@given(st.text(max_size=2000))
def test_any_output_is_read(text: str) -> None:
    names_in_source(text)
    names_in_source("".join(f"/x/a.c:{n}:{line}\n" for n, line in enumerate(text.split("\n"), 1)))
