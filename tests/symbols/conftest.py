"""A small module, built against the installed kernel headers and never loaded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = """\
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct item {
	int key;
	struct list_head link;
};

static LIST_HEAD(items);
static int *target;
int probe_depth;

static noinline int probe_sum(int a, int b)
{
	int i, sum = 0;

	for (i = 0; i < a; i++)
		sum += i * b + READ_ONCE(probe_depth);
	return sum;
}

static noinline void probe_write(struct item *it)
{
	if (WARN_ON(!it))
		return;
	it->key = 7;
	list_add(&it->link, &items);
	if (unlikely(it->key > probe_depth)) {
		pr_err("key %d\\n", it->key);
		BUG();
	}
}

int probe_entry(int n)
{
	struct item *it = kzalloc(sizeof(*it), GFP_KERNEL);

	probe_write(it);
	return probe_sum(n, it ? it->key : 3);
}
EXPORT_SYMBOL_GPL(probe_entry);

static int __init probe_init(void)
{
	pr_info("sum %d\\n", probe_entry(4));
	*target = 1;
	return 0;
}

static void __exit probe_exit(void)
{
	struct item *it, *next;

	list_for_each_entry_safe(it, next, &items, link) {
		list_del(&it->link);
		kfree(it);
	}
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_LICENSE("GPL");
"""


def _headers() -> Path | None:
    """Return a folder of kernel headers that a module can be built against."""
    found = (*Path("/lib/modules").glob("*/build"), *Path("/usr/src").glob("linux-headers-*"))
    return next((p for p in found if (p / "Module.symvers").exists()), None)


def _build(folder: Path, dwarf: int) -> Path:
    headers = _headers()
    missing = [tool for tool in ("make", "gcc", "gdb") if shutil.which(tool) is None]
    if headers is None or missing:
        pytest.skip(f"needs kernel headers and gcc, make, gdb; missing: {missing or 'headers'}")
    (folder / "probe.c").write_text(SOURCE)
    (folder / "Makefile").write_text("obj-m := probe.o\n")
    command = ["make", "-C", str(headers), f"M={folder}", f"KCFLAGS=-gdwarf-{dwarf}", "modules"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"the module does not build here: {done.stderr[-300:]}")
    return folder / "probe.ko"


@pytest.fixture(scope="session", params=[4, 5], ids=["dwarf4", "dwarf5"])
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the module file, once with each version of DWARF."""
    return _build(tmp_path_factory.mktemp(f"probe{request.param}"), request.param)
