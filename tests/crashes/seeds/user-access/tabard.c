/* Watches by a kprobe who gives the machine a new name, and compares the name where the caller has it. */
#include <linux/kprobes.h>
#include "seed.h"

static unsigned int heralds;

static bool is_royal(const char *name)
{
	return !strncmp(name, "royal", 5);
}

static int tabard_seen(struct kprobe *probe, struct pt_regs *regs)
{
	struct pt_regs *call = (struct pt_regs *)regs_get_kernel_argument(regs, 0);

	if (is_royal((const char *)regs_get_kernel_argument(call, 0)))
		heralds++;
	return 0;
}

static struct kprobe probe = {
#ifdef CONFIG_ARM64
	.symbol_name = "__arm64_sys_sethostname",
#else
	.symbol_name = "__x64_sys_sethostname",
#endif
	.pre_handler = tabard_seen,
};

static int __init tabard_init(void)
{
	return register_kprobe(&probe);
}

static void __exit tabard_exit(void)
{
	unregister_kprobe(&probe);
	pr_info("tabard: %u\n", heralds);
}
module_init(tabard_init);
module_exit(tabard_exit);
