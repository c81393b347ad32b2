"""Names of users and people: after a label, in a home folder, in what logins and builds print."""

from __future__ import annotations

from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.common_names import identifies_nobody
from pagefault_doctor.session.redact.search import NamePattern, each_group

USER: Final = r"[^\W\d][\w.-]{0,62}(?<![.-])"
_PERSON: Final = r"(\w[^<>\n\"()@:,;]{1,79}[^\W_]\.?)"

_USERS: Final = (
    (("home", "homes", "users"), rf"/(?:homes?|[Uu]sers)\d?/(?:local/|corp/)?({USER})"),
    (("users",), rf"\\Users\\+({USER})"),
    (("/mail/", "/cron", "/media/"),
     rf"/(?:var/mail|spool/mail|spool/cron|spool/cron/crontabs|run/media)/({USER})"),
    (("~",), r"~(?<![\w~/]~)([a-z_][\w.-]{0,62})(?=[/:\s'\")\],]|[.;]?$)"),
    (("user", "name", "login", "acct", "account", "owner", "owned"),
     rf"(?i:(?<![a-z])(?<!page_)(?:sudo_user|user|username|logname|login|ruser|luser|acct|account|owner"
     rf"|owned by))"
     rf"['\"]?(?:=|: )['\"]?({USER})"),
    (("user",),
     rf"(?:\b(?:for|of|by|as|User Slice of) (?:invalid )?[Uu]ser(?:name)?(?![A-Za-z])"
     rf"|[Ii]nvalid user:?"
     rf"|(?:authenticating|from|unknown) user|unix-user:|User Slice of) ?['\"]?({USER})"),
    (("user", "login", "account"),
     rf"(?i:\b(?:user(?: ?name)?|login|account)) ['\"]({USER})['\"]"),
    (("openvpn",), rf" ({USER})/\d{{1,3}}(?:\.\d{{1,3}}){{3}}:\d{{1,5}}(?!\d)"),
    (("login", "upload", "download"), rf"\[({USER})\] (?:OK|FAIL) (?:LOGIN|UPLOAD|DOWNLOAD)\b"),
    (("new",), rf"\bnew user: name=({USER})"),
    (("user",), rf" --user(?:name)?[ =]['\"]?({USER})"),
    (("mysql", "mariadb", "curl", "smbclient", "sudo", "psql"),
     rf"\b(?:mysql\w*|mariadb|curl|smbclient|sudo|psql)\b[^\n|;]{{0,200}}? -[uU] ?['\"]?({USER})"),
    (("accepted", "failed", "postponed"),
     rf"(?:Accepted|Failed|Postponed) [\w/-]+ for (?:invalid user )?({USER})"),
    (("changed",), rf"\bchanged for ({USER})"),
    (("group",), rf"\b(?:add|added|delete|remove[d]?) '?({USER})'? (?:to|from) (?:shadow )?group"),
    (("by", "sudo"),
     rf"\bby ({USER})\(uid=|\bLOGIN ON \S+ BY ({USER})|\bsudo(?:\[\d+\])?: +({USER}) : "
     rf"|\bSuccessful su for \S+ by ({USER})"),
    (("pts", "tty"), rf"(?m)^({USER}) +(?:pts/\d|tty\d|:\d)"),
    (("  0.",), rf"(?m)^({USER}) +\d+ +\d{{1,3}}\.\d +\d{{1,3}}\.\d +\d"),
    (("su", "cmd", "reload", "end", "info", "list", "begin"),
     rf"\bsu(?:\[\d+\])?: \(to ({USER})\) ({USER}) on "
     rf"|\(({USER})\) (?:CMD\w*|RELOAD|END|INFO|LIST|BEGIN)\b"),
    (("uid", "gid", "groups"),
     rf"\buid=\d+\(({USER})\)|\bgid=\d{{4,}}\(({USER})\)|[,=]\d{{4,}}\(({USER})\)"),
    (("-r", "dr"), rf"(?m)^[-dlbcps][-rwxsStT]{{9}}[.+@]?\s+\d+\s+({USER})\s"),
    ((":/",), rf"(?m)^({USER}):[^:\n]*:\d+:\d+:[^:\n]*:/[^:\n]*:/\S*$"),
    ((":/",), r"(?m)^[^\W\d][\w.-]*:[^:\n]*:\d+:\d+:([^:,\n]{2,80})[^:\n]*:/[^:\n]*:/\S*$"),
    (("author",), r"(?m)^author:\s+(\S[^\n]{0,200}\S)$"),
    (("by",), rf"\b[A-Z][a-z]{{1,15}}(?:-[a-z]{{1,15}})?-by: \"?{_PERSON}"
     r" ?(?=<|\"|$)"),
    (("from", "cc", "to"), rf"\b(?:From|Cc|To): \"?{_PERSON}\"? ?(?=<)"),
    (("author", "maintainer", "packager", "committer"),
     rf"\b(?:Author|Maintainer|Packager|Committer|Built by)\s{{0,8}}: \"?{_PERSON}"
     r" ?(?=<|\"|\n|$)"),
    (("://",), rf"://({USER}):[^\s/@]{{1,200}}@"),
    (("author",), r"\bMODULE_AUTHOR\(\"([^\"\n]{2,100})\""),
    (("built", "compiled"), rf"\b(?:built|compiled) by ({USER})\b(?!@)"),
)  # fmt: skip
"""Patterns of users: a group for each name. `author:` is from modinfo, `:/` from passwd(5)."""

USERS: Final = tuple(
    NamePattern(words, regex(source), each_group("user", identifies_nobody))
    for words, source in _USERS
)
"""Patterns of users."""
