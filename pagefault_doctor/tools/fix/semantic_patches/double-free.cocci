// The same pointer is freed twice on one path.
@twice exists@
expression E, R;
identifier free = { kfree, kvfree, vfree, kfree_sensitive, kfree_skb, free_netdev, kmem_cache_destroy };
identifier again = { kfree, kvfree, vfree, kfree_sensitive, kfree_skb, free_netdev, kmem_cache_destroy };
position first, second;
@@
(
 free@first(E);
 ... when != E = R
     when != &E
 again@second(E);
|
 kmem_cache_free@first(..., E);
 ... when != E = R
     when != &E
 kmem_cache_free@second(..., E);
)

@script:python@
first << twice.first;
second << twice.second;
E << twice.E;
@@
if key(first) != key(second):
    tell(second, "double-free", "%s was freed in line %s already" % (E, first[0].line))

// Memory that belongs to the device is freed by hand.
@managed exists@
expression E, R;
identifier make = { devm_kzalloc, devm_kmalloc, devm_kcalloc, devm_kmalloc_array, devm_kstrdup, devm_kmemdup, devm_kasprintf };
position freed;
@@
 E = make(...)
 ... when != E = R
 kfree@freed(E);

@script:python@
freed << managed.freed;
E << managed.E;
@@
tell(freed, "double-free", "%s is freed with its device already (devm_): drop this kfree()" % E)
