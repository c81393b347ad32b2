"""Passwords, tokens and keys: found by their label or by the shape that their issuer gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pagefault_doctor.model.pattern import regex
from pagefault_doctor.session.redact.search import FoundName, NamePattern, checked, each_group

_VALUE: Final = r"(?:\"([^\"\n]{3,200})\"|'([^'\n]{3,200})'|((?!\S{0,20}=['\"])[^\s'\",;&]{3,200}))"
_LABEL: Final = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|(?:auth[_-]?)?token|(?:client[_-]?)?secret(?:[_-]?access)?"
    r"(?:[_-]?key)?|(?:api|access|private|auth|encryption)[ _-]?key(?:[ _-]?id)?|credentials?"
    r"|psk|wep[_-]?key\d?|rootpw|cookie)"
)

_LABELLED: Final = (
    (("pass", "pwd", "token", "secret", "api", "access", "private", "auth", "encryption",
      "credential", "psk", "wep", "rootpw", "cookie"),
     rf"(?i)(?:(?<![a-z])|(?<=[a-z][_-])){_LABEL}['\"]?\s?(?:=|: ?)\s?{_VALUE}"),
    (("pass", "token", "secret", "key"),
     rf"\b[A-Z][A-Z\d_]{{0,40}}(?:PASS(?:WORD|WD|PHRASE)?|TOKEN|SECRET|KEY)(?:=|: ?){_VALUE}"),
    (("pass", "token", "secret", "key"),
     rf"\s--?(?:\w{{1,20}}-)?(?:pass(?:word|wd|phrase)?|token|secret|api-key)[ =]{_VALUE}"),
    (("sshpass", "mysql", "mysqldump", "mariadb", "ldapsearch"),
     rf"\b(?:sshpass|mysql\w*|mariadb|ldapsearch)\b[^\n|;]{{0,200}}? -[pw] ?{_VALUE}"),
    (("redis",), rf"\bredis-cli\b[^\n|;]{{0,200}}? -a ?{_VALUE}"),
    (("curl", "wget", "smbclient"),
     r"\b(?:curl|wget|smbclient)\b[^\n|;]{0,200}? (?:-u|-U|--user) ?[^\s:%]{1,64}[:%](\S{1,200})"),
    (("://",), r"://[^\s:/@]{0,64}:([^\s/@]{1,200})@"),
    (("://",), r"://([^\s:/@]{20,200})@"),
    (("bearer", "basic", "digest", "negotiate"),
     r"(?i)\b(?:bearer|basic|digest|negotiate) ([\w.~+/=-]{12,4000})(?<=[A-Za-z\d=])"),
    (("ssh", "ecdsa"),
     r"\b(?:ssh-\w{2,10}|ecdsa-sha2-\w{2,20}|sk-ssh-\w{2,40}(?:@openssh\.com)?) "
     r"([A-Za-z\d+/]{16,4000}={0,3})"),
    (("cookie",), r"(?i)\bcookie: ?([^\n]{3,400})"),
)  # fmt: skip
"""Words of a label and the pattern of what follows it: one group in each match."""

_SHAPED: Final = (
    (("akia", "asia", "aroa"), r"\b((?:AKIA|ASIA|AROA)[A-Z\d]{12,20})\b"),
    (("aiza",), r"\b(AIza[\w-]{20,60})"),
    (("ghp", "gho", "ghu", "ghs", "ghr"), r"\b(gh[pousr]_[A-Za-z\d]{20,255})"),
    (("github",), r"\b(github_pat_\w{20,255})"),
    (("glpat", "gldt", "glrt", "glft"), r"\b(gl(?:pat|dt|rt|ft)-[\w-]{16,255})"),
    (("xox",), r"\b(xox[a-z]-[\w-]{10,255})"),
    (("npm", "pypi", "hf"), r"\b((?:npm_|pypi-|hf_)[\w-]{20,255})"),
    (("live_", "test_"), r"\b([srp]k_(?:live|test)_[A-Za-z\d]{12,255})"),
    (("sk-",), r"\b(sk-(?=[\w-]{0,60}\d)[\w-]{20,255})"),
    (("tskey",), r"\b(tskey-[\w-]{10,255})"),
    (("dckr",), r"\b(dckr_pat_[\w-]{10,255})"),
    (("vault", "hvs"), r"\b(hv[sbr]\.[\w-]{20,255})"),
    (("eyj",), r"\b(eyJ[\w-]{8,4000}\.[\w-]{4,4000}(?:\.[\w-]{0,4000})?)"),
    (("sha256:",), r"\bSHA256:([A-Za-z\d+/]{40,64}=?)"),
    (("aaaa",), r"(?<![\w+/])(AAAA[BCE][A-Za-z\d+/]{16,4000}={0,3})"),
    (("$",), r"(\$(?:[1256y]|2[aby]|sha1|yescrypt|gy)\$[\w./$=,-]{8,200})"),
)  # fmt: skip
"""Words of a shape and its pattern: keys of clouds, JWT, ssh keys and fingerprints, crypt(5)."""

_PRIVATE_KEY: Final = regex(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----\s{1,4}"
    r"((?:[A-Za-z\d+/=]{20,200}\s{0,4}){1,400}(?:[A-Za-z\d+/=]{1,200}(?=\s{0,4}-----END))?)"
)

_NO_SECRET: Final = regex(
    r"(?i:0x[\da-f]+|\d{1,5}|none|null|n/a|yes|no|true|false|on|off|changed|required|expired|empty"
    r"|invalid|denied|incorrect|not|for|is|to|\*+|x{3,}|\(null\)|\(none\)|\?+)"
)
"""What can follow a label and is no secret: a state, or a value that is hidden already."""

_RANDOM: Final = regex(r"[A-Za-z\d+/]{32,4000}={0,2}")
_MANGLED_BEFORE: Final = regex(r"[\w.]\Z")


def _random(match: re.Match[str]) -> FoundName | None:
    """Return a long word that mixes letters of both cases and digits as only chance does."""
    word = match[0]
    before = match.string[match.start() - 1 : match.start()]
    if _MANGLED_BEFORE.search(before) or word.startswith(("/", "ZN")):
        return None
    parts = (sum(map(str.isupper, word)), sum(map(str.islower, word)), sum(map(str.isdigit, word)))
    if min(parts) < 3 or max(map(len, word.split("/"))) < 12 or word.count("/") > len(word) / 12:
        return None
    return FoundName(*match.span(), "secret", word)


def _labelled(match: re.Match[str]) -> Iterator[FoundName]:
    for found in each_group("secret", _NO_SECRET.fullmatch)(match):
        yield found._replace(key=found.key.rstrip())


SECRETS: Final = (
    *(NamePattern(words, regex(source), _labelled) for words, source in _LABELLED),
    *(NamePattern(words, regex(source), each_group("secret")) for words, source in _SHAPED),
    NamePattern(("PRIVATE KEY-----",), _PRIVATE_KEY, each_group("secret"), many_lines=True),
    NamePattern((), _RANDOM, checked(_random)),
)
"""Patterns of secrets."""
