// A pointer is known to be NULL, or an allocation is not checked, and it is written through.
@null_write@
expression E;
identifier member;
identifier alloc = {
  kmalloc, kzalloc, kcalloc, kmalloc_array, kmemdup, vmalloc, vzalloc, kmem_cache_alloc,
  devm_kzalloc, ioremap
};
position null, used;
@@
 \(E = NULL@null\|E = alloc@null(...)\)
 ... when != E = ...
     when != &E
     when != \(!E\|E == NULL\|E != NULL\|IS_ERR_OR_NULL(E)\|WARN_ON(!E)\|unlikely(!E)\|likely(E)\)
(
 E->member@used = ...
|
 *E@used = ...
|
 E[...]@used = ...
)

@script:python@
null << null_write.null;
used << null_write.used;
E << null_write.E;
@@
print("%s:%s:%s is written through, and line %s may have left it NULL" % (used[0].file, used[0].line, E, null[0].line))
