// An entry is taken off its list twice.
@deleted_twice exists@
expression E;
position first, second;
@@
 list_del@first(E);
 ... when != \(list_add\|list_add_tail\|list_move\|list_move_tail\)(E, ...)
     when != INIT_LIST_HEAD(E)
 \(list_del@second\|list_del_init@second\|list_move@second\|list_move_tail@second\)(E, ...)

@script:python@
first << deleted_twice.first;
second << deleted_twice.second;
E << deleted_twice.E;
@@
if key(first) != key(second):
    tell(second, "list-corruption", "%s was taken off its list in line %s already" % (tidy(E), first[0].line))

// An entry is added that is in a list still.
@added_twice exists@
expression E;
identifier add = { list_add, list_add_tail };
identifier again = { list_add, list_add_tail };
position first, second;
@@
 add@first(E, ...);
 ... when != \(list_del\|list_del_init\|list_del_rcu\)(E)
     when != E = ...
 again@second(E, ...);

@script:python@
first << added_twice.first;
second << added_twice.second;
E << added_twice.E;
@@
if key(first) != key(second):
    tell(second, "list-corruption", "%s is in a list since line %s: list_move(), or list_del() first" % (tidy(E), first[0].line))

// A walk goes on from an entry that was taken off.
@walked_off exists@
iterator name list_for_each_entry;
expression H;
identifier E, member, link, out;
position deleted;
@@
 list_for_each_entry(E, H, member) {
   ...
   \(list_del@deleted\|list_move@deleted\|list_move_tail@deleted\|list_del_init@deleted\)(&E->link, ...);
   ... when != break;
       when != return ...;
       when != goto out;
 }

@script:python@
deleted << walked_off.deleted;
E << walked_off.E;
@@
tell(deleted, "list-corruption", "the walk goes on from %s, which is off the list: list_for_each_entry_safe()" % E)

// An entry that anyone can name is taken off, and can be named again.
@named_again exists@
identifier f, P, link;
type T;
expression R;
position deleted;
@@
 f(..., T *P, ...) {
   ... when != \(list_empty\|list_empty_careful\)(&P->link)
   list_del@deleted(&P->link);
   ... when != \(kfree\|kfree_rcu\|kvfree\|kmem_cache_free\|kref_put\|put_device\)(..., P, ...)
       when != \(list_add\|list_add_tail\|INIT_LIST_HEAD\)(&P->link, ...)
       when != P->link.next = R
 }

@script:python@
deleted << named_again.deleted;
P << named_again.P;
f << named_again.f;
@@
tell(deleted, "list-corruption", "a second %s() of the same %s takes it off twice: list_del_init(), and ask list_empty() first" % (f, P))
