// The buffer of a program is used as if it were the kernel's own.
@ops@
identifier table, f;
@@
(
 struct file_operations table = { ..., .write = f, ... };
|
 struct file_operations table = { ..., .read = f, ... };
|
 struct proc_ops table = { ..., .proc_write = f, ... };
|
 struct proc_ops table = { ..., .proc_read = f, ... };
)

@buffer exists@
identifier ops.f, file, buf;
type F, B;
expression R;
position used;
@@
 f(F file, B buf, ...) {
   ... when != buf = R
(
   *buf@used
|
   buf[...]@used
|
   \(memcpy\|memcmp\|strcpy\|strncpy\|strscpy\|strlen\|strcmp\|strncmp\|sscanf\|kstrtoint\|kstrtouint\|kstrtoul\|simple_strtoul\|sysfs_streq\|sprintf\)(..., buf@used, ...)
)
   ... when any
 }

@script:python@
used << buffer.used;
buf << buffer.buf;
@@
tell(used, "user-access", "%s is an address of the program: copy_from_user() or get_user() first" % buf)

// The argument of an ioctl is followed.
@ioctls@
identifier table, f;
@@
(
 struct file_operations table = { ..., .unlocked_ioctl = f, ... };
|
 struct file_operations table = { ..., .compat_ioctl = f, ... };
|
 struct proc_ops table = { ..., .proc_ioctl = f, ... };
)

@argument exists@
identifier ioctls.f, file, cmd, arg, member;
type F, C, A, T;
position used;
@@
 f(F file, C cmd, A arg) {
 <+...
(
   ((T *)arg)->member@used
|
   *(T *)arg@used
)
 ...+>
 }

@script:python@
used << argument.used;
arg << argument.arg;
@@
tell(used, "user-access", "%s is an address of the program: copy_from_user() into a structure first" % arg)

@kept_argument exists@
identifier ioctls.f, file, cmd, arg, member;
type F, C, A, T;
expression P, R;
position used;
@@
 f(F file, C cmd, A arg) {
 ... when any
 P = (T *)arg
 ... when != P = R
 \(P->member@used\|*P@used\)
 ... when any
 }

@script:python@
used << kept_argument.used;
arg << kept_argument.arg;
@@
tell(used, "user-access", "%s is an address of the program: copy_from_user() into a structure first" % arg)
