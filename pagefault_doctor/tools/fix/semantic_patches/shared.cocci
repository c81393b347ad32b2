// What the semantic patches share: how a finding is told, and what is gathered over all files.
@initialize:python@
@@
BEGUN, STOPPED, REGISTERED, TAKEN_BACK, EXITS = [], set(), [], set(), []
HANDED, SPLIT, CAST, CONSTANT, DEFINED = {}, {}, {}, set(), {}

WIDTHS = {"char": 1, "u8": 1, "s8": 1, "bool": 1, "u16": 2, "s16": 2, "short": 2, "long": 8, "u64": 8, "s64": 8, "size_t": 8, "loff_t": 8}

COUNTERPART = {
    "register_chrdev": ("unregister_chrdev",),
    "alloc_chrdev_region": ("unregister_chrdev_region",),
    "misc_register": ("misc_deregister",),
    "cdev_add": ("cdev_del", "cdev_device_del"),
    "proc_create": ("remove_proc_entry", "proc_remove", "remove_proc_subtree"),
    "proc_create_data": ("remove_proc_entry", "proc_remove", "remove_proc_subtree"),
    "proc_create_single_data": ("remove_proc_entry", "proc_remove", "remove_proc_subtree"),
    "proc_mkdir": ("remove_proc_entry", "proc_remove", "remove_proc_subtree"),
    "debugfs_create_dir": ("debugfs_remove_recursive", "debugfs_remove", "debugfs_lookup_and_remove"),
    "debugfs_create_file": ("debugfs_remove_recursive", "debugfs_remove", "debugfs_lookup_and_remove"),
    "kthread_run": ("kthread_stop",),
    "kthread_create": ("kthread_stop",),
    "alloc_workqueue": ("destroy_workqueue",),
    "kmem_cache_create": ("kmem_cache_destroy",),
    "class_create": ("class_destroy",),
    "request_irq": ("free_irq",),
    "request_threaded_irq": ("free_irq",),
    "platform_driver_register": ("platform_driver_unregister",),
    "platform_device_register": ("platform_device_unregister",),
    "usb_register_driver": ("usb_deregister",),
    "i2c_register_driver": ("i2c_del_driver",),
    "sysfs_create_group": ("sysfs_remove_group", "kobject_put"),
    "sysfs_create_file": ("sysfs_remove_file", "kobject_put"),
    "input_register_device": ("input_unregister_device",),
    "nf_register_net_hook": ("nf_unregister_net_hook",),
    "register_sysctl": ("unregister_sysctl_table",),
    "register_shrinker": ("unregister_shrinker", "shrinker_free"),
    "atomic_notifier_chain_register": ("atomic_notifier_chain_unregister",),
    "blocking_notifier_chain_register": ("blocking_notifier_chain_unregister",),
}
for name in ("netdevice_notifier", "inetaddr_notifier", "reboot_notifier", "module_notifier", "pm_notifier", "keyboard_notifier", "die_notifier", "kprobe", "kretprobe", "ftrace_function", "netdev", "filesystem", "blkdev", "console", "syscore_ops"):
    COUNTERPART["register_" + name] = ("unregister_" + name,)
for name in ("class", "bus"):
    COUNTERPART[name + "_register"] = (name + "_unregister",)

def told(file, line, cause, text):
    print("%s:%s:[%s] %s" % (file, line, cause, text))

def tell(position, cause, text):
    told(position[0].file, position[0].line, cause, text)

def key(position):
    return position[0].line, position[0].column

def tidy(text):
    return text.replace(" -> ", "->").replace(" . ", ".").replace("& ", "&")

def last_word(text):
    return tidy(text).replace("->", ".").split(".")[-1].strip("&() ")

def number(text):
    product = 1
    for factor in DEFINED.get(text.strip(), text).strip("() ").split("*"):
        try:
            product *= int(DEFINED.get(factor.strip(), factor.strip()), 0)
        except ValueError:
            return None
    return product

def width(kind):
    if "*" in kind:
        return 8
    return next((WIDTHS[word] for word in reversed(kind.split()) if word in WIDTHS), 4)

// sizeof follows no pointer.
@measured@
expression E;
identifier member;
position inside;
@@
(
 sizeof(*E@inside)
|
 sizeof(E->member@inside)
|
 sizeof(E[...]@inside)
)
