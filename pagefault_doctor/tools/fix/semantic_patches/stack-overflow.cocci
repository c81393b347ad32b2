// A large array on the stack, which has 16 KiB in all.
@defined@
identifier N;
constant C;
@@
 #define N C

@script:python@
N << defined.N;
C << defined.C;
@@
DEFINED[N] = C

@lasting@
type T;
identifier a;
expression N;
position made;
@@
 static T a@made[N];

@large@
type T;
identifier f, a;
expression N;
position made != lasting.made;
@@
 f(...) {
 <+...
 T a@made[N];
 ...+>
 }

@script:python@
made << large.made;
T << large.T;
a << large.a;
N << large.N;
@@
size = number(N)
if size is not None and size * width(T) >= 2048:
    tell(made, "stack-overflow", "%s takes %s bytes of the stack: kmalloc() it" % (a, size * width(T)))

// A function that calls itself.
@again exists@
identifier f;
position called;
@@
 f(...) {
 <+...
 f@called(...)
 ...+>
 }

@script:python@
called << again.called;
f << again.f;
@@
tell(called, "stack-overflow", "%s() calls itself: what bounds its depth?" % f)
