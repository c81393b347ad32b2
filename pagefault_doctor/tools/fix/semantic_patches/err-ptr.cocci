// The result of a function that answers with ERR_PTR is used, whatever it was.
@unasked exists@
expression E;
identifier member;
identifier make = {
  kthread_run, kthread_create, kthread_create_on_node, filp_open, clk_get, devm_clk_get,
  class_create, device_create, regulator_get, devm_regulator_get, devm_ioremap_resource,
  devm_platform_ioremap_resource, dma_buf_get, crypto_alloc_shash, crypto_alloc_skcipher,
  crypto_alloc_aead, platform_device_register_simple, platform_device_register_data,
  root_device_register, gpiod_get, devm_gpiod_get, memdup_user, memdup_user_nul, strndup_user,
  devm_reset_control_get, phy_get, devm_phy_get, iio_channel_get, pinctrl_get, devm_pinctrl_get,
  kern_mount, kernel_read_file_from_path, sock_alloc_file, anon_inode_getfile, dentry_open,
  rtc_device_register, hwmon_device_register_with_info, thermal_zone_device_register
};
position made, used;
@@
 E = make@made(...)
 ... when != \(IS_ERR\|IS_ERR_OR_NULL\|PTR_ERR_OR_ZERO\|PTR_ERR\)(E)
     when != \(!E\|E == NULL\|E != NULL\)
     when != E = ...
(
 E->member@used
|
 *E@used
|
 E[...]@used
|
 \(clk_prepare_enable\|clk_enable\|get_task_struct\|wake_up_process\|regulator_enable\|gpiod_set_value\|kernel_read\|kernel_write\)(E@used, ...)
)

@script:python@
made << unasked.made;
used << unasked.used;
E << unasked.E;
@@
tell(used, "err-ptr", "%s is used without IS_ERR(), made in line %s" % (E, made[0].line))

// Such a result is tested for NULL, which it never is.
@null_test exists@
expression E;
identifier make = {
  kthread_run, kthread_create, filp_open, clk_get, devm_clk_get, class_create, device_create,
  regulator_get, devm_regulator_get, devm_ioremap_resource, devm_platform_ioremap_resource,
  dma_buf_get, crypto_alloc_shash, crypto_alloc_skcipher, platform_device_register_simple,
  root_device_register, gpiod_get, devm_gpiod_get, memdup_user, memdup_user_nul, strndup_user
};
statement S1, S2;
position tested;
@@
 E = make(...)
 ... when != \(IS_ERR\|IS_ERR_OR_NULL\|PTR_ERR_OR_ZERO\)(E)
     when != E = ...
 if@tested (\(!E\|E == NULL\)) S1 else S2

@script:python@
tested << null_test.tested;
E << null_test.E;
@@
tell(tested, "err-ptr", "%s is an error code when it fails, never NULL: ask IS_ERR(%s)" % (E, E))

// A pointer is followed in the very branch that found it to be an error.
@followed exists@
expression E, R;
identifier member;
position used;
@@
 if (IS_ERR(E)) {
   ... when != E = R
   E->member@used
   ... when any
 }

@script:python@
used << followed.used;
E << followed.E;
@@
tell(used, "err-ptr", "%s is an error code in this branch, and is followed" % E)
