// An object is used after it was freed, also on the way out of an error.
@freed_first exists@
iterator I;
statement S;
expression E;
identifier member;
identifier free = { kfree, kvfree, vfree, kfree_sensitive, kfree_skb, consume_skb, free_netdev, put_device };
position freed;
position used != measured.inside;
@@
(
 free@freed(E);
|
 kmem_cache_free@freed(..., E);
)
 ... when != E = ...
     when != &E
     when != I(E, ...) S
(
 E->member@used
|
 *E@used
|
 E[...]@used
|
 \(memcpy\|memset\|strcpy\|copy_to_user\|pr_info\|pr_err\|printk\)(..., E@used, ...)
)

@script:python@
freed << freed_first.freed;
used << freed_first.used;
E << freed_first.E;
@@
if key(freed) != key(used):
    tell(used, "use-after-free", "%s is used after line %s freed it" % (E, freed[0].line))

// A list is walked over entries that are freed under way.
@walked exists@
iterator name list_for_each_entry, hlist_for_each_entry;
expression H;
identifier E, member, out;
identifier free = { kfree, kvfree, kfree_sensitive };
position freed;
@@
(
 list_for_each_entry(E, H, member) {
   ...
(
   free@freed(E);
|
   kmem_cache_free@freed(..., E);
)
   ... when != break;
       when != return ...;
       when != goto out;
 }
|
 hlist_for_each_entry(E, H, member) {
   ...
   free@freed(E);
   ... when != break;
       when != return ...;
       when != goto out;
 }
)

@script:python@
freed << walked.freed;
E << walked.E;
@@
tell(freed, "use-after-free", "the walk goes on from %s, which is freed here: list_for_each_entry_safe()" % E)

// What was freed stays reachable, though a test shows that NULL is to mean gone.
@kept exists@
expression R;
identifier I, member;
identifier free = { kfree, kvfree, vfree, kfree_sensitive };
position freed;
@@
(
 if (I.member) {
   ...
(
   free@freed(I.member);
|
   kmem_cache_free@freed(..., I.member);
)
   ... when != I.member = R
 }
|
 if (I->member) {
   ...
(
   free@freed(I->member);
|
   kmem_cache_free@freed(..., I->member);
)
   ... when != I->member = R
       when != kfree(I)
 }
)
 ... when != I.member = R
     when != I->member = R
     when != kfree(I)

@script:python@
freed << kept.freed;
I << kept.I;
member << kept.member;
@@
tell(freed, "use-after-free", "%s of %s is freed and keeps its value: set it to NULL, and stop its users first" % (member, I))

// Counts given back twice on one path.
@put_twice exists@
expression E, R;
identifier put = { put_device, kobject_put, of_node_put, dev_put, module_put, put_task_struct, fput, sock_put, usb_put_dev, pci_dev_put };
position first, second;
@@
 put@first(E);
 ... when != E = R
     when != \(get_device\|kobject_get\|of_node_get\|dev_hold\|get_task_struct\|get_file\|sock_hold\|usb_get_dev\|pci_dev_get\)(E)
 put@second(E);

@script:python@
first << put_twice.first;
second << put_twice.second;
E << put_twice.E;
@@
if key(first) != key(second):
    tell(second, "use-after-free", "the reference on %s was already given back in line %s" % (E, first[0].line))

// Work and timers that outlive the object or the module: what is set up, and what is stopped.
@stopped@
expression E;
identifier stop = {
  del_timer_sync, timer_delete_sync, timer_shutdown_sync, timer_shutdown, del_singleshot_timer_sync,
  hrtimer_cancel, cancel_work_sync, cancel_delayed_work_sync, flush_work, flush_delayed_work,
  disable_work_sync, disable_delayed_work_sync, tasklet_kill, kthread_cancel_work_sync,
  kthread_cancel_delayed_work_sync
};
@@
 stop(E)

@script:python@
E << stopped.E;
@@
STOPPED.add(last_word(E))

@everything@
identifier flush = { flush_scheduled_work, destroy_workqueue, flush_workqueue, drain_workqueue };
@@
 flush(...)

@script:python@
flush << everything.flush;
@@
STOPPED.add("*")

@setup@
expression E;
identifier begin = {
  timer_setup, setup_timer, hrtimer_init, hrtimer_setup, INIT_WORK, INIT_DELAYED_WORK,
  INIT_DEFERRABLE_WORK, tasklet_init, tasklet_setup, kthread_init_work, kthread_init_delayed_work
};
position made;
@@
 begin@made(E, ...)

@script:python@
made << setup.made;
begin << setup.begin;
E << setup.E;
@@
BEGUN.append((made[0].file, made[0].line, begin, last_word(E)))

@declared@
declarer name DECLARE_WORK, DECLARE_DELAYED_WORK, DEFINE_TIMER, DECLARE_TASKLET;
identifier I, f;
position made;
@@
(
 DECLARE_WORK(I@made, f);
|
 DECLARE_DELAYED_WORK(I@made, f);
|
 DEFINE_TIMER(I@made, f);
|
 DECLARE_TASKLET(I@made, f);
)

@script:python@
made << declared.made;
I << declared.I;
@@
BEGUN.append((made[0].file, made[0].line, "", I))

// What is registered, and what is taken back.
@call@
identifier registered = {
  register_chrdev, misc_register, cdev_add, proc_create, proc_create_data, proc_create_single_data,
  proc_mkdir, debugfs_create_dir, debugfs_create_file, register_netdevice_notifier,
  register_inetaddr_notifier, register_reboot_notifier, register_module_notifier, register_pm_notifier,
  register_keyboard_notifier, register_die_notifier, register_kprobe, register_kretprobe,
  register_ftrace_function, nf_register_net_hook, request_irq, request_threaded_irq, register_netdev,
  kthread_run, kthread_create, alloc_workqueue, class_create, class_register, bus_register,
  platform_driver_register, platform_device_register, usb_register_driver, pci_register_driver,
  i2c_register_driver, input_register_device, sysfs_create_group, sysfs_create_file, register_filesystem,
  register_shrinker, register_sysctl, kmem_cache_create, register_blkdev, atomic_notifier_chain_register,
  blocking_notifier_chain_register, input_register_handler, genl_register_family,
  register_console, register_syscore_ops, alloc_chrdev_region
};
position made;
@@
 registered@made(...)

@script:python@
made << call.made;
registered << call.registered;
@@
REGISTERED.append((made[0].file, made[0].line, registered))

@any_call@
identifier back = {
  unregister_chrdev, misc_deregister, cdev_del, cdev_device_del, proc_remove, remove_proc_entry,
  remove_proc_subtree, debugfs_remove, debugfs_remove_recursive, debugfs_lookup_and_remove,
  unregister_netdevice_notifier, unregister_inetaddr_notifier, unregister_reboot_notifier,
  unregister_module_notifier, unregister_pm_notifier, unregister_keyboard_notifier,
  unregister_die_notifier, unregister_kprobe, unregister_kretprobe, unregister_ftrace_function,
  nf_unregister_net_hook, free_irq, unregister_netdev, kthread_stop, destroy_workqueue, class_destroy,
  class_unregister, bus_unregister, platform_driver_unregister, platform_device_unregister,
  usb_deregister, pci_unregister_driver, i2c_del_driver, input_unregister_device, sysfs_remove_group,
  sysfs_remove_file, kobject_put, unregister_filesystem, unregister_shrinker, shrinker_free,
  unregister_sysctl_table, kmem_cache_destroy, unregister_blkdev, unregister_chrdev_region,
  atomic_notifier_chain_unregister, blocking_notifier_chain_unregister, input_unregister_handler,
  genl_unregister_family, unregister_console, unregister_syscore_ops
};
@@
 back(...)

@script:python@
back << any_call.back;
@@
TAKEN_BACK.add(back)

@exits@
declarer name module_exit;
identifier f;
@@
 module_exit(f);

@script:python@
f << exits.f;
@@
EXITS.append(f)

@finalize:python@
@@
for file, line, begin, name in BEGUN:
    if EXITS and name not in STOPPED and "*" not in STOPPED:
        told(file, line, "use-after-free", "%s may still be pending when the module goes: stop it with a _sync function first" % name)
for file, line, name in REGISTERED:
    wanted = COUNTERPART.get(name, ())
    if EXITS and wanted and not TAKEN_BACK.intersection(wanted):
        told(file, line, "use-after-free", "%s() is never taken back: the exit function needs %s()" % (name, wanted[0]))
