"""Reports of KASAN, KFENCE and KMSAN, the memory sanitizers.

Details: `bug` its kind; `access_size`; `cache`, `object`, `object_size`; `distance` and `where` the
address lies seen from the object; `allocated_by`, `allocated_module`, `freed_by`, `freed_module`
the first functions of these stacks that are not the allocator, `allocated_task` and `freed_task`
who ran them; `uninit_bytes`, `local_variable`,
`created_by`, `created_module` of KMSAN; `value_before`, `value_after` of KCSAN; for UBSAN `file`,
`file_line`, `index`, `type`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from pagefault_doctor.klog.formats.format import BAD_ACCESS, Format
from pagefault_doctor.klog.guilty_function import CALL, TRACE
from pagefault_doctor.klog.skip_functions import USB_MESSAGES
from pagefault_doctor.model.report import Kind

_IN: Final = r"in (?P<f>[A-Za-z0-9_$]+)[.+]"
_KASAN: Final = ((rf"BUG: KASAN: [a-z\- ]+ {_IN}", CALL, TRACE),)
_KFENCE: Final = ((rf"BUG: KFENCE: [a-z\- ]+ {_IN}", TRACE),)
_KMSAN: Final = (("BUG: KMSAN: ", TRACE), (rf"BUG: KMSAN: [a-z\- ]+ {_IN}",))
_CARRIERS: Final = (
    "alloc_skb|netlink_ack|netlink_rcv_skb|_encrypt$|crypto_|skcipher|^skb_put|copy_to_user"
    "|_copy_to_iter|instrument_|simple_copy"
)

DETAILS: Final = (
    r"BUG: K\w+: (?P<bug>[a-z][a-z -]*?) in ",
    r"(?:Read|Write) of size (?P<access_size>\d+) at addr",
    r" belongs to the cache (?P<cache>[\w-]+) of size (?P<object_size>\d+)",
    r"(?:located|is located) (?P<distance>\d+) bytes (?P<where>inside of|to the right of"
    r"|to the left of|before|after)",
    r"(?P<allocated_task>[Aa]llocated by task \d+.*?):?$",
    r"(?P<freed_task>[Ff]reed by task \d+.*?):?$",
    r"kfence-#\d+: (?P<object>0x[0-9a-f]+-0x[0-9a-f]+), size=(?P<object_size>\d+),"
    r" cache=(?P<cache>[\w-]+)",
    r"Local variable (?P<local_variable>\S+) created at",
    r"value changed: (?P<value_before>0x[0-9a-f]+) -> (?P<value_after>0x[0-9a-f]+)",
    r"Bytes (?P<uninit_bytes>\d+-\d+) of \d+ are uninitialized",
    r"UBSAN: (?P<bug>[a-z-]+) in (?P<file>\S+?):(?P<file_line>\d+)",
    r"index (?P<index>-?\d+) is out of range for type '(?P<type>[^']{1,80})'",
)

_sanitizer = partial(Format, header="BUG:", kind=Kind.SANITIZER)
_kmsan = partial(_sanitizer, ways=_KMSAN, plain=True)
_kfence = partial(
    _sanitizer, ways=_KFENCE, plain=True, source="mm/kfence/report.c (kfence_report_error)"
)

FORMATS: Final = (
    _sanitizer(
        pattern=r"BUG: KASAN: (?:double-free or invalid-free|double-free|invalid-free) in ",
        title="KASAN: invalid-free in {f}",
        ways=_KASAN,
        alts=("invalid-free in {f}",),
        source="mm/kasan/report.c (kasan_report_invalid_free)",
    ),
    _sanitizer(
        pattern=r"BUG: KASAN: ([a-z\-]+) in ([A-Za-z0-9_$]+)",
        then=r"(Read|Write) (?:of size|at addr) [0-9a-f]+",
        title="KASAN: {1} {3} in {f}",
        ways=_KASAN,
        alts=(BAD_ACCESS,),
        source="mm/kasan/report.c (print_error_description)",
    ),
    _sanitizer(
        pattern=r"BUG: KASAN: ([a-z\-]+) on address",
        then=r"(Read|Write) of size [0-9]+",
        title="KASAN: {1} {2}",
        source="mm/kasan/report.c (kasan_report_user_access), before 4.15",
    ),
    _sanitizer(
        pattern=r"BUG: KASAN: (.*)",
        title="KASAN: {1}",
        lost=True,
        source="mm/kasan/report.c (print_error_description), cut off",
    ),
    _kfence(
        pattern=r"BUG: KFENCE: (use-after-free|out-of-bounds|invalid) (read|write) in ",
        title="KFENCE: {1} {2} in {f}",
        alts=(BAD_ACCESS,),
    ),
    _kfence(
        pattern=r"BUG: KFENCE: invalid free in ",
        title="KFENCE: invalid free in {f}",
        alts=("invalid-free in {f}",),
    ),
    _kfence(
        pattern=r"BUG: KFENCE: memory corruption in ", title="KFENCE: memory corruption in {f}"
    ),
    _kmsan(
        pattern=r"BUG: KMSAN: kernel-usb-infoleak",
        title="KMSAN: kernel-usb-infoleak in {f}",
        origin=("Uninit was created at:", TRACE),
        alts=("KMSAN origin in {g}",),
        skip=f"{USB_MESSAGES}|{_CARRIERS}",
        source="mm/kmsan/hooks.c (kmsan_handle_urb), mm/kmsan/report.c (kmsan_report)",
    ),
    _kmsan(
        pattern=r"BUG: KMSAN: ([a-z\-]+)",
        title="KMSAN: {1} in {f}",
        skip=_CARRIERS,
        alts=(BAD_ACCESS,),
        source="mm/kmsan/report.c (kmsan_report)",
    ),
    _sanitizer(
        pattern=r"BUG: KCSAN: (.*)",
        title="KCSAN: {1}",
        plain=True,
        source="kernel/kcsan/report.c (print_report)",
    ),
    Format(
        start=r"^The buggy address is located \d+ bytes (?:to the (?:left|right)|inside) of",
        needles=("buggy address is located",),
        fragment=True,
        title="KASAN: the tail of its report",
        kind=Kind.SANITIZER,
        details=(r"(?P<beside_object>is located \d+ bytes to the (?:left|right) of)",),
        plain=True,
        lost=True,
        source="mm/kasan/report.c (describe_object_addr); its headline is not in the log",
    ),
)
