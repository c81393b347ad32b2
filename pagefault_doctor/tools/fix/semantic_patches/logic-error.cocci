// A registration can fail, and nobody looks.
@ignored@
identifier make = {
  misc_register, register_chrdev, register_netdev, register_netdevice_notifier, register_reboot_notifier,
  register_module_notifier, register_kprobe, register_kretprobe, request_irq, request_threaded_irq,
  platform_driver_register, pci_register_driver, cdev_add, device_register, device_add, kobject_add,
  input_register_device, sysfs_create_group, sysfs_create_file, alloc_chrdev_region, register_filesystem,
  nf_register_net_hook, bus_register, class_register, driver_register, clk_prepare_enable
};
position used;
@@
 make@used(...);

@script:python@
used << ignored.used;
make << ignored.make;
@@
tell(used, "logic-error", "%s() can fail, and its result is not looked at" % make)

// A divisor comes from outside, and may be 0.
@divisor exists@
identifier v;
expression R, X;
identifier from = { kstrtouint, kstrtoint, kstrtoul, kstrtol, kstrtou8, kstrtou16, kstrtou32, kstrtou64, kstrtoull, kstrtoint_from_user, kstrtouint_from_user, kstrtoul_from_user };
position used;
@@
 \(from(..., &v)\|get_user(v, ...)\)
 ... when != v = R
     when != \(!v\|v == 0\|v != 0\|v < X\|v > X\|v <= X\|v >= X\)
 \(X / v@used\|X % v@used\|do_div(X, v@used)\|div_u64(X, v@used)\)

@script:python@
used << divisor.used;
v << divisor.v;
@@
tell(used, "logic-error", "%s comes from the program and may be 0: test it before the division" % v)

// A divisor is a parameter of the module, which may be written as 0.
@settable@
declarer name module_param;
identifier v, kind;
expression rights;
@@
 module_param(v, kind, rights);

@by_parameter exists@
identifier settable.v;
identifier f;
expression X;
position used;
@@
 f(...) {
 ... when != \(!v\|v == 0\|v != 0\|v < X\|v > X\|v <= X\|v >= X\)
     when != v = X
 \(X / v@used\|X % v@used\|do_div(X, v@used)\|div_u64(X, v@used)\|DIV_ROUND_UP(X, v@used)\|mult_frac(X, ..., v@used)\)
 ... when any
 }

@script:python@
used << by_parameter.used;
v << settable.v;
@@
tell(used, "logic-error", "the parameter %s may be 0: refuse that where it is set (param_set_uint_minmax)" % v)
