// A string literal is written to.
@literal@
identifier s;
constant char[] C;
position made;
@@
(
 char *s@made = C;
|
 static char *s@made = C;
)

@taken_apart exists@
identifier literal.s;
expression X;
position used;
@@
(
 *s@used = X
|
 s[...]@used = X
|
 \(strsep@used\|strreplace@used\|strim@used\|strcpy@used\|strcat@used\|sprintf@used\|memset@used\)(\(s\|&s\), ...)
)

@script:python@
made << literal.made;
used << taken_apart.used;
s << literal.s;
@@
tell(used, "readonly-write", "%s points to a constant string, made in line %s: kstrdup() it, or make it an array" % (s, made[0].line))

@handed@
identifier literal.s;
identifier g;
position used;
@@
 g@used(..., s, ...)

@script:python@
s << literal.s;
g << handed.g;
used << handed.used;
@@
HANDED.setdefault(g, []).append((s, used[0].line))

@splits exists@
identifier g, t;
expression X;
position used;
@@
 g(..., char *t, ...) {
 ...
(
 *t@used = X
|
 *t++@used = X
|
 t[...]@used = X
|
 strsep@used(&t, ...)
)
 ... when any
 }

@script:python@
g << splits.g;
t << splits.t;
used << splits.used;
@@
SPLIT.setdefault((used[0].file, used[0].line), (g, t))

@finds exists@
identifier g, t;
expression Q, X;
identifier find = { strchr, strrchr, strpbrk, strstr, skip_spaces };
position used;
@@
 g(..., char *t, ...) {
 ...
 Q = find(t, ...)
 ... when any
 \(*Q@used = X\|*Q++@used = X\|Q[...]@used = X\)
 ... when any
 }

@script:python@
g << finds.g;
t << finds.t;
used << finds.used;
@@
SPLIT.setdefault((used[0].file, used[0].line), (g, t))

@finalize:python@
@@
for (file, line), (g, t) in sorted(SPLIT.items()):
    for s, called in HANDED.get(g, [])[:1]:
        told(file, line, "readonly-write", "%s may be the constant string %s, handed to %s() in line %s: work on a copy (kstrdup)" % (t, s, g, called))

// const is cast away, and the object written to.
@cast@
identifier v, member, S;
type T;
expression X;
position used;
@@
(
 ((struct S *)&v)->member@used = X
|
 ((T *)&v)->member@used = X
|
 *(T *)&v@used = X
)

@script:python@
used << cast.used;
v << cast.v;
@@
CAST.setdefault(v, (used[0].file, used[0].line))

@constants@
type T;
identifier v;
@@
(
 const T v = ...;
|
 static const T v = ...;
)

@script:python@
v << constants.v;
@@
CONSTANT.add(v)

@finalize:python@
@@
for v, (file, line) in sorted(CAST.items()):
    if v in CONSTANT:
        told(file, line, "readonly-write", "%s is const, and a cast takes that away: it lies in a page that may not be written" % v)
