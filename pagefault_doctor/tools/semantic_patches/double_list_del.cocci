// An entry is taken off its list twice.
@double_list_del@
expression E;
identifier again = {list_del, list_del_init};
position first, second;
@@
 list_del@first(E);
 ... when != list_add(E, ...)
     when != list_add_tail(E, ...)
     when != INIT_LIST_HEAD(E)
 again@second(E);

@script:python@
first << double_list_del.first;
second << double_list_del.second;
E << double_list_del.E;
@@
if (first[0].line, first[0].column) != (second[0].line, second[0].column):
    print("%s:%s:%s is deleted from its list again, first in line %s" % (second[0].file, second[0].line, E, first[0].line))
