// Memory that is lost on the way out of an error.
@lost exists@
type T;
identifier x, f;
expression R, C;
identifier make = { kmalloc, kzalloc, kcalloc, kmemdup, kstrdup, vmalloc, vzalloc, kvmalloc, kvzalloc };
position made, left;
@@
 T *x;
 ...
 x = make@made(...);
 ... when != \(kfree\|kvfree\|vfree\|kfree_sensitive\)(x)
     when != R = x
     when != f(..., x, ...)
     when != return x;
 if (\(C < 0\|C > R\|C >= R\|C != R\|f(...)\)) {
   ... when != \(kfree\|kvfree\|vfree\|kfree_sensitive\)(x)
       when != R = x
       when != return x;
   return@left \(-ENOMEM\|-EINVAL\|-EIO\|-EFAULT\|-ENODEV\|-EBUSY\|-EPERM\|-ENOENT\|-ERANGE\|-E2BIG\|-EAGAIN\|C\);
 }

@script:python@
made << lost.made;
left << lost.left;
x << lost.x;
@@
tell(left, "oom", "%s, made in line %s, is lost here: free it on this path" % (x, made[0].line))
