// A loop or an index goes one past the end of an array.
@one_more exists@
identifier i, a;
expression X;
statement S;
position used;
@@
 for (i = 0; i <= ARRAY_SIZE(\(a\|X->a\|X.a\)); ...)@used S

@script:python@
used << one_more.used;
a << one_more.a;
@@
tell(used, "out-of-bounds", "the last turn is one past the end of %s: < ARRAY_SIZE()" % a)

@array@
type T;
identifier a;
expression N;
@@
 T a[N];

@counted exists@
expression array.N;
identifier i;
statement S;
position used;
@@
 for (i = 0; i <= N; ...)@used S

@script:python@
used << counted.used;
a << array.a;
N << array.N;
i << counted.i;
S << counted.S;
@@
if "%s[%s]" % (a, i) in S.replace(" ", ""):
    tell(used, "out-of-bounds", "the last turn is one past the end of %s, which has %s elements" % (a, N))

@member_array@
type T;
identifier s, a;
expression N;
@@
 struct s { ... T a[N]; ... };

@counted_field exists@
identifier member_array.a;
expression member_array.N, X;
identifier i;
position used;
@@
 for (i = 0; i <= N; ...)@used {
   <+...
(
   X->a[i]
|
   X.a[i]
|
   X[...].a[i]
)
   ...+>
 }

@script:python@
used << counted_field.used;
a << member_array.a;
N << member_array.N;
@@
tell(used, "out-of-bounds", "the last turn is one past the end of %s, which has %s elements" % (a, N))

@past_end@
expression A;
position used;
@@
(
 A[sizeof(A)]@used
|
 A[ARRAY_SIZE(A)]@used
)

@script:python@
used << past_end.used;
A << past_end.A;
@@
tell(used, "out-of-bounds", "this element of %s is one past its end" % A)

// The size of a pointer is taken for the size of what it points to.
@pointer_size@
expression *E;
identifier make = { kmalloc, kzalloc, kvmalloc, kvzalloc, vmalloc, vzalloc };
position used;
@@
(
 E = make@used(sizeof(E), ...)
|
 memset@used(E, ..., sizeof(E))
|
 memcpy@used(E, ..., sizeof(E))
|
 copy_from_user@used(E, ..., sizeof(E))
|
 strscpy@used(E, ..., sizeof(E))
|
 snprintf@used(E, sizeof(E), ...)
)

@script:python@
used << pointer_size.used;
E << pointer_size.E;
@@
tell(used, "out-of-bounds", "sizeof(%s) is the size of the pointer: sizeof(*%s)" % (E, E))

// A copy of a string without room for its end.
@no_room exists@
expression E, S, R;
identifier make = { kmalloc, kzalloc, vmalloc };
position made, used;
@@
 E = make@made(strlen(S), ...)
 ... when != E = R
 \(strcpy@used\|sprintf@used\)(E, ...)

@script:python@
made << no_room.made;
used << no_room.used;
E << no_room.E;
@@
tell(used, "out-of-bounds", "line %s left no room in %s for the zero at the end: kstrdup()" % (made[0].line, E))

// More is copied than was allocated.
@short_made exists@
expression E, R;
constant C1, C2;
identifier make = { kmalloc, kzalloc, vmalloc, vzalloc };
position made, used;
@@
 E = make@made(C1, ...)
 ... when != E = R
 \(memcpy@used\|memset@used\|copy_from_user@used\)(E, ..., C2)

@script:python@
made << short_made.made;
used << short_made.used;
E << short_made.E;
C1 << short_made.C1;
C2 << short_made.C2;
@@
if number(C1) is not None and number(C2) is not None and number(C2) > number(C1):
    tell(used, "out-of-bounds", "%s bytes go into %s, which line %s made for %s" % (C2, E, made[0].line, C1))

// A program's own length is believed.
@believed exists@
identifier f, count;
type T;
expression B, U, X;
identifier make = { kmalloc, kzalloc, kvmalloc, kvzalloc, vmalloc, vzalloc, memdup_user, memdup_user_nul, kmalloc_array, kcalloc };
position used;
@@
 f(..., T count, ...) {
   ... when != count = X
       when != \(count > X\|count >= X\|count < X\|count <= X\|count == X\|count != X\)
       when != \(X > count\|X >= count\|X < count\|X <= count\)
       when != \(min\|min_t\|clamp\|clamp_t\|check_add_overflow\)(..., count, ...)
       when != make(<+...count...+>, ...)
   \(copy_from_user@used\|_copy_from_user@used\|strncpy_from_user@used\)(B, U, count)
   ... when any
 }

@script:python@
used << believed.used;
count << believed.count;
B << believed.B;
@@
tell(used, "out-of-bounds", "%s comes from the program and is not compared with the size of %s" % (count, B))

// The element behind the last is set, as for a final zero.
@behind exists@
expression E, N, R;
identifier make = { kmalloc, kzalloc, vmalloc, vzalloc, kvmalloc, kvzalloc };
position made, used;
@@
 E = make@made(N, ...)
 ... when != E = R
     when != N = R
     when != \(N++\|N--\|--N\|++N\)
 E[N]@used = R

@script:python@
made << behind.made;
used << behind.used;
E << behind.E;
N << behind.N;
@@
tell(used, "out-of-bounds", "line %s made %s bytes, and this is the one behind them: make %s + 1" % (made[0].line, N, N))
