// An object is used after kfree() of it, with no assignment in between.
@use_after_kfree@
expression E;
identifier member;
position freed, used;
@@
 kfree@freed(E);
 ... when != E = ...
     when != &E
(
 E->member@used
|
 *E@used
|
 E[...]@used
|
 kfree@used(E)
)

@script:python@
freed << use_after_kfree.freed;
used << use_after_kfree.used;
E << use_after_kfree.E;
@@
if freed[0].line != used[0].line or freed[0].column != used[0].column:
    print("%s:%s:%s is used after kfree in line %s" % (used[0].file, used[0].line, E, freed[0].line))
