// The result of a function that answers with ERR_PTR is used without a look at IS_ERR().
@missing_is_err@
expression E;
identifier member;
identifier make = {
  kthread_run, kthread_create, filp_open, clk_get, devm_clk_get, class_create, device_create,
  regulator_get, devm_ioremap_resource, dma_buf_get, crypto_alloc_shash, crypto_alloc_skcipher,
  platform_device_register_simple, root_device_register
};
position made, used;
@@
 E = make@made(...)
 ... when != \(IS_ERR\|IS_ERR_OR_NULL\|PTR_ERR_OR_ZERO\)(E)
     when != E = ...
 E->member@used

@script:python@
made << missing_is_err.made;
used << missing_is_err.used;
E << missing_is_err.E;
@@
print("%s:%s:%s is used without IS_ERR, made in line %s" % (used[0].file, used[0].line, E, made[0].line))
