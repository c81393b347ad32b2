"""Pages, slabs, page tables and leaks found inconsistent.

Details: `pfn`, `because`, `pte`, `pmd`, `counter`, `value`, as printed;
`bad_entry`, one of a table above; as printed `page_dump` with its counters, `page_flags`
(`mm/debug.c`, dump_page) and `page_address`, the mapping's line (`mm/memory.c`, print_bad_pte).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.bug_warn import PAGE_DUMP
from pagefault_doctor.klog.formats.format import TRACED, Format, Lead
from pagefault_doctor.klog.formats.slab import leak
from pagefault_doctor.klog.guilty_function import TRACE
from pagefault_doctor.model.report import Kind

_ALLOCATORS: Final = "alloc|bounce|prep_new_page|get_page_from|clear_page|memset|set_page_owner"

ORDER: Final = (
    r"page allocation failure[:.] order:(?P<order>\d+), "
    r"mode:(?P<gfp_mask>0x[0-9a-f]+(?:\([^)]*\))?)"
)
ZONE: Final = r"(?P<zone>(?:Node \d+ )?(?:DMA32|Normal|HighMem) free:\d+kB .*?min:\d+kB)"
"""The first with what is free in it and the least that should be (`mm/show_mem.c`)."""

DETAILS: Final = (
    r"BUG: Bad page (?:state|cache) in process \S+ +pfn:(?P<pfn>[0-9a-f]+)",
    r"page dumped because: (?P<because>.+)",
    r"file:.{0,80} (?:mmap|mmap_prepare):\w+ \[(?P<mapped_by_module>[\w-]+)\]",
    r"file:.{0,80} fault:\w+ \[(?P<mapped_by_module>[\w-]+)\]",
    r"BUG: Bad page map in process \S+ +pte:(?P<pte>[0-9a-f]+) pmd:(?P<pmd>[0-9a-f]+)",
    PAGE_DUMP,
    r"^(?P<page_flags>flags: 0x[0-9a-f]+\(.*\).*)",
    r"^(?P<page_address>addr:[0-9a-f]+ vm_flags:.*)",
    r"bad (?:pgd|p4d|pud|pmd) \S*\((?P<bad_entry>[0-9a-f]+)\)",
    ORDER,
    r"BUG: Bad rss-counter state .*?type:(?P<counter>\w+) val:(?P<value>-?\d+)",
)

_page = partial(Format, kind=Kind.BAD_PAGE)
_bad = partial(_page, header="BUG:")
_slab = partial(Format, header="BUG kmalloc-", kind=Kind.SLAB)

FORMATS: Final = (
    leak(
        header="BUG:",
        pattern=r"BUG: memory leak",
        then=r"backtrace",
        source="mm/kmemleak.c, as fuzzers scan for it",
    ),
    _bad(
        pattern=r"BUG: Bad page state",
        title="BUG: Bad page state in {f}",
        ways=(("page last allocated via order", TRACE),),
        skip=_ALLOCATORS + "|bad_page|free_pages|free_pcp",
        source="mm/page_alloc.c (bad_page)",
    ),
    _page(
        start=r"^Bad page state at \w+ \(in process '",
        needles=("Bad page state at ",),
        pattern=r"Bad page state at (\w+)",
        title="BUG: Bad page state in {1}",
        plain=True,
        source="mm/page_alloc.c (bad_page) until 2.6.15",
    ),
    _bad(
        pattern=r"BUG: Bad page cache",
        title="BUG: Bad page cache in {f}",
        ways=(("page last allocated via order", TRACE),),
        skip=_ALLOCATORS,
        source="mm/filemap.c (unaccount_page_cache_page, filemap_unaccount_folio)",
    ),
    _page(
        start=r"\.[ch]:\d+: bad p(?:gd|4d|ud|md|te) \S*\([0-9a-f]+\)",
        needles=(": bad pgd ", ": bad p4d ", ": bad pud ", ": bad pmd ", ": bad pte "),
        pattern=r": bad (p\w+) ",
        title="bad {1}",
        notice=True,
        plain=True,
        source="mm/pgtable-generic.c (pmd_clear_bad)",
    ),
    _bad(
        pattern=r"BUG: Bad page map",
        title="BUG: Bad page map",
        source="mm/memory.c (print_bad_pte)",
    ),
    _bad(
        pattern=r"BUG: (Bad rss-counter state"
        r"|non-zero (?:nr_ptes|nr_pmds|pgtables_bytes) on freeing mm)",
        title="BUG: {1}",
        plain=True,
        source="kernel/fork.c (check_mm)",
    ),
    Format(
        header="BUG:",
        pattern=r"BUG: Dentry .* still in use.* \[unmount of ([^\]\n]*)\]",
        title="BUG: Dentry still in use in unmount",
        kind=Kind.KERNEL_BUG,
        alts=("BUG: Dentry still in use [unmount of {1}]",),
        plain=True,
        source="fs/dcache.c (umount_check)",
    ),
    _slab(
        pattern=r"BUG kmalloc-.*: Object already free",
        title="BUG: Object already free",
        source="mm/slub.c (free_debug_processing)",
    ),
    _slab(
        pattern=r"BUG kmalloc-(.*)",
        title="BUG kmalloc-{1}",
        nameless=True,
        source="mm/slub.c (slab_bug)",
    ),
    _page(
        start=r"pagealloc: (memory corruption|single bit error)",
        needles=("pagealloc: ",),
        lead=Lead.DROPPED,
        title="pagealloc: {1}",
        plain=True,
        source="mm/page_poison.c (check_poison_mem)",
    ),
    _page(
        start=r"\b(\w+): Bad swap (file|offset) entry [0-9a-f]+",
        lead=Lead.DROPPED,
        title="{1}: bad swap {2} entry",
        plain=True,
        source="mm/swapfile.c",
    ),
    Format(
        start=r"kmem_cache_destroy (\S+): Slab cache still has objects",
        lead=Lead.DROPPED,
        title="kmem_cache_destroy {1}: slab cache still has objects",
        kind=Kind.SLAB,
        plain=True,
        source="mm/slab_common.c (kmem_cache_destroy)",
    ),
    Format(
        start=r"^kmemleak: \d+ new suspected memory leaks",
        notice=True,
        title="suspected memory leaks",
        kind=Kind.LEAK,
        plain=True,
        source="mm/kmemleak.c (kmemleak_scan)",
    ),
    Format(
        start=r"^(?!syz)(?:.{1,40}: )?page allocation (?:failure[:.] order:\d|stalls for)",
        notice=True,
        title="page allocation failure in {f}",
        kind=Kind.INFO,
        ways=TRACED,
        skip="alloc|slab|page_frag",
        details=(ORDER, ZONE),
        source="mm/page_alloc.c (warn_alloc)",
    ),
    Format(
        start=r"^(?!syz)(?:.{1,40}: )?vmalloc (?:error: size \d|size \d+ allocation failure)",
        notice=True,
        title="vmalloc error in {f}",
        kind=Kind.INFO,
        ways=TRACED,
        skip="alloc",
        source="mm/vmalloc.c (__vmalloc_node_range)",
    ),
    Format(
        start=r"^(?!syz)(?:.{1,40}: )?vmalloc: allocation failure[:,]? "
        r"|^vmap allocation for size \d+ failed|^vmalloc_node_range for size \d+ failed"
        r"|cma_alloc: .*alloc failed, req-size",
        fragment=True,
        plain=True,
        title="vmalloc error",
        kind=Kind.INFO,
        source="mm/vmalloc.c (alloc_vmap_area), mm/cma.c (cma_alloc)",
    ),
)
