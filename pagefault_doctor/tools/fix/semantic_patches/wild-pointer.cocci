// A pointer is used before it was ever set.
@begun@
type T;
identifier p;
expression R;
position made;
@@
(
 T *p@made = R;
|
 static T *p@made;
|
 extern T *p@made;
)

@unset exists@
iterator I;
statement S;
expression H;
type T;
identifier p, member;
expression R;
position made != begun.made;
position used != measured.inside;
@@
 T *p@made;
 ... when != p = R
     when != &p
     when != I(p, ...) S
     when != I(H, p, ...) S
(
 p->member@used
|
 *p@used
|
 p[...]@used
)

@script:python@
used << unset.used;
p << unset.p;
@@
tell(used, "wild-pointer", "%s is used and was never set" % p)

// The first entry is taken of a list that may have none.
@first exists@
expression E, L, R;
position taken;
@@
 ... when != \(list_empty\|list_empty_careful\|list_is_singular\)(L)
     when != R = list_empty(L)
 E = \(list_first_entry@taken\|list_last_entry@taken\)(L, ...)

@script:python@
taken << first.taken;
L << first.L;
@@
tell(taken, "wild-pointer", "%s may be empty, and then this is no entry: list_first_entry_or_null()" % L)

// After a walk to the end, the cursor points to no entry.
@after exists@
iterator name list_for_each_entry;
expression H, R;
statement S;
identifier E, member, used_member, out;
position used;
@@
 list_for_each_entry(E, H, member) { ... when != break;
                                          when != goto out;
 }
 ... when != E = R
     when != list_for_each_entry(E, ...) S
 E->used_member@used

@script:python@
used << after.used;
E << after.E;
@@
tell(used, "wild-pointer", "%s is no entry after the walk: keep what was found in a pointer of its own" % E)

// A pointer does not fit into these bits.
@cut@
typedef u32, s32;
expression *E;
position used;
@@
(
 (int)E@used
|
 (unsigned int)E@used
|
 (u32)E@used
|
 (s32)E@used
)

@script:python@
used << cut.used;
E << cut.E;
@@
tell(used, "wild-pointer", "half of the pointer %s is lost in 32 bits: uintptr_t or unsigned long" % E)

// The address of a variable on the stack is handed out.
@lasting_local@
type T;
identifier v;
expression X;
position made;
@@
(
 static T v@made;
|
 static T v@made = X;
)

@on_stack exists@
type T;
identifier v;
position made != lasting_local.made;
position used;
@@
 {
 ...
(
 T v@made;
|
 T v@made = ...;
|
 T v@made[...];
)
 ... when any
(
 return &v@used;
|
 return &v[...]@used;
)
 }

@script:python@
used << on_stack.used;
v << on_stack.v;
@@
tell(used, "wild-pointer", "%s is gone with the function's stack, and its address is returned" % v)
