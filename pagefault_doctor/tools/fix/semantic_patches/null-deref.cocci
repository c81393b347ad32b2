// A result that may be NULL is used without a test.
@guarded@
expression E;
identifier member;
position tested;
@@
(
 E && <+...E->member@tested...+>
|
 E != NULL && <+...E->member@tested...+>
|
 !E || <+...E->member@tested...+>
|
 E == NULL || <+...E->member@tested...+>
|
 E ? <+...E->member@tested...+> : ...
)

@in_condition@
expression E;
identifier make;
statement S1, S2;
position made;
@@
 if (<+...E = make@made(...)...+>) S1 else S2

@unchecked exists@
expression E, X, Y;
statement S, S1, S2;
identifier member;
identifier make = {
  kmalloc, kzalloc, kcalloc, kmalloc_array, kmalloc_node, kzalloc_node, krealloc, kmemdup,
  kmemdup_nul, kstrdup, kstrndup, kasprintf, kvmalloc, kvzalloc, kvcalloc, vmalloc, vzalloc,
  kmem_cache_alloc, kmem_cache_zalloc, kmem_cache_create, mempool_create, alloc_page, alloc_pages,
  devm_kzalloc, devm_kmalloc, devm_kcalloc, devm_kasprintf, ioremap, devm_ioremap,
  dma_alloc_coherent, alloc_skb, netdev_alloc_skb, dev_alloc_skb, skb_clone, skb_copy,
  alloc_etherdev, alloc_netdev, alloc_workqueue, platform_get_resource, of_get_property,
  of_match_device, of_find_node_by_name, idr_find, xa_load, radix_tree_lookup, dev_get_by_name,
  dev_get_by_index, pci_get_device, find_vma, list_first_entry_or_null, strchr, strrchr, strstr,
  strnchr, strpbrk
};
position made != in_condition.made;
position used != { guarded.tested, measured.inside };
@@
 \(E = make@made(...)\|E = NULL@made\)
 ... when != E = ...
     when != &E
     when != \(!E\|E == NULL\|E != NULL\|IS_ERR_OR_NULL(E)\|WARN_ON(!E)\|BUG_ON(!E)\|ZERO_OR_NULL_PTR(E)\)
     when != if (<+...E...+>) S1 else S2
     when != while (<+...E...+>) S
     when != E && X
     when != E ? X : Y
(
 E->member@used
|
 *E@used
|
 E[...]@used
|
 \(memcpy\|memset\|strcpy\|strscpy\|copy_from_user\)(E@used, ...)
)

@script:python@
made << unchecked.made;
used << unchecked.used;
E << unchecked.E;
@@
tell(used, "null-deref", "%s is used and was never tested; line %s may have left it NULL" % (E, made[0].line))

// A pointer is used in the very branch that found it NULL.
@known exists@
expression E, R;
identifier member;
position used;
@@
 if (\(!E\|E == NULL\)) {
   ... when != E = R
   E->member@used
   ... when any
 }

@script:python@
used << known.used;
E << known.E;
@@
tell(used, "null-deref", "%s is NULL in this branch, and is followed" % E)

// A pointer is tested, but only after it was followed.
@late exists@
expression E, R;
identifier member;
statement S1, S2;
position used, tested;
@@
 E->member@used
 ... when != E = R
     when != &E
 if@tested (\(!E\|E == NULL\)) S1 else S2

@script:python@
used << late.used;
tested << late.tested;
E << late.E;
@@
tell(used, "null-deref", "%s is followed here and tested for NULL only in line %s" % (E, tested[0].line))

// IS_ERR() is asked of a function that gives NULL.
@wrong_test exists@
expression E, R;
identifier make = {
  kmalloc, kzalloc, kcalloc, kmalloc_array, kmemdup, kstrdup, vmalloc, vzalloc, kmem_cache_alloc,
  kmem_cache_zalloc, devm_kzalloc, devm_kmalloc, devm_kcalloc, ioremap, devm_ioremap, alloc_skb,
  alloc_workqueue, proc_create, proc_mkdir, alloc_netdev, alloc_etherdev, platform_get_resource
};
position tested;
@@
 E = make(...)
 ... when != E = R
     when != \(!E\|E == NULL\|E != NULL\)
 IS_ERR@tested(E)

@script:python@
tested << wrong_test.tested;
E << wrong_test.E;
@@
tell(tested, "null-deref", "IS_ERR() never sees that %s is NULL: test it with if (!%s)" % (E, E))
