"""Names and ids of containers, pods, virtual machines, and of the sessions of users in systemd."""

from __future__ import annotations

import re
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import (
    FoundName,
    NamePattern,
    checked,
    each_group,
)

_NAME: Final = r"[^\W_](?:[\w.-]{0,126}[^\W_])?"
_DASH: Final = r"(?: {3})?-"
"""A dash, or what `without_escapes` makes of `\\x2d`."""

_CONTAINERS: Final = (
    (("scope", "service"),
     rf"\bmachine-(?:[a-z]{{2,10}}{_DASH}(?:\d{{1,9}}{_DASH})?)?(\w[\w. -]{{0,200}}?)"
     r"\.(?:scope|service)"),
    (("guest",), rf"\bguest=['\"]?({_NAME})"),
    (("qemu", "kvm"), rf"\b(?:qemu|kvm)\S{{0,40}} [^\n]{{0,200}}?-name (?:guest=)?['\"]?({_NAME})"),
    (("domain",), rf"\b[Dd]omain (?:id=\d{{1,9}} )?(?:name[=:])?['\"]({_NAME})['\"]"),
    (("lxc",), rf"\blxc-\w{{2,12}}: ({_NAME}): "),
    (("lxc",), rf"/lxc(?:\.payload\.|\.monitor\.|/)({_NAME})"),
    (("lxc", "machine"), rf"/var/lib/(?:lxc|machines|libvirt/qemu|libvirt/images)/({_NAME})"),
    (("container",), rf"\b[Cc]ontainer[ _-]?(?:name)?\s?(?:[:=]\s?)?['\"]({_NAME})['\"]"),
    (("container",),
     r"\b[Cc]ontainer[ _-]?(?:name|id)?(?:[=:]\s?| )['\"]?([0-9a-f]{12}|[0-9a-f]{64})\b"),
    (("container",), rf"\b[Cc]ontainer[ _-]?[Nn]ame[=: ]{{1,2}}['\"]?({_NAME})"),
    (("container", "podman", "docker"),
     rf"\b(?:podman|docker|container)\b[^\n]{{0,400}}?[ ,(]name=['\"]?({_NAME})"),
    (("podman", "docker", "container", "crio", "kubelet"),
     r"\b(?:podman|docker|container\w*|crio|kubelet)\b[^\n]{0,300}?"
     r"\bimage[=:] ?['\"]?(?:[\w.-]{1,120}(?::\d{1,5})?/)?(?:[\w.-]{1,80}/)?"
     rf"({_NAME})(?=[:@,)\s'\"]|$)"),
    (("pod",), rf"\bpods?(?:=|: ?| )['\"]({_NAME})(?:/({_NAME}))?['\"]"),
    (("pod",), rf"\b[Pp]od(?:[_-]?name)?=({_NAME})(?:/({_NAME}))?"),
    (("pod", "namespace"), rf"\bnamespace['\"]?[=:] ?['\"]({_NAME})['\"]"),
    (("running", "shut", "paused", "crashed"),
     rf"(?m)^ *(?:\d{{1,9}}|-) +({_NAME}) +(?:running|shut off|paused|crashed)$"),
    (("veth", "br", "cali", "lxc", "tap"),
     r"\b(?:veth|br-|cali|lxc|tap)((?=[a-f]{0,11}\d)[0-9a-f]{7,12})\b"),
    (("docker", "libpod", "crio", "container"),
     r"\b(?:docker|libpod|crio|cri-containerd|containerd)[-:/]([0-9a-f]{12,64})\b"),
)  # fmt: skip
"""Words of a label and the pattern of what follows it."""

_SESSIONS: Final = (
    (("user",), r"\buser[-@](\d{1,10})\.(?:slice|service)"),
    (("user",), r"/run/user/(\d{1,10})\b"),
    (("user",), r"\b(?:User Manager|User Slice) (?:for UID|of UID) (\d{1,10})"),
    (("session",), r"\bsession-(c?\d{1,9})\.scope"),
    (("session",), r"\b(?:[Nn]ew |[Rr]emoved |Started )[Ss]ession (c?\d{1,9})\b"),
    (("run-",), r"\brun-(?:u|r|p)([0-9a-f]{1,32})(?:-i\d{1,9})?\.(?:service|scope|timer|mount)"),
)  # fmt: skip
"""Numbers of users and of their sessions in the names of units."""

_POD: Final = regex(r"-(?=[a-z]{0,9}\d)[a-z\d]{8,10}-[a-z\d]{5}(?![\w-])")
"""The end that Kubernetes gives to the name of a pod: of its set of replicas, and its own."""
_POD_BACK: Final = regex(r"[a-z\d-]{0,59}[a-z](?![\w-])")


def _pod(match: re.Match[str]) -> FoundName | None:
    start, end = match.span()
    before = _POD_BACK.match(match.string[max(start - 61, 0) : start][::-1])
    if not before:
        return None
    start -= before.end()
    return FoundName(start, end, "container", match.string[start:end])


CONTAINERS: Final = (
    *(NamePattern(words, regex(source), each_group("container")) for words, source in _CONTAINERS),
    NamePattern(("-",), _POD, checked(_pod)),
    *(NamePattern(words, regex(source), each_group("id")) for words, source in _SESSIONS),
)
"""Patterns of containers, virtual machines and sessions."""
