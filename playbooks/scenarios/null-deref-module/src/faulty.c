// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * faulty: the driver of a device that does not exist.
 *
 * It keeps one small state for the whole device: a status byte, and a count
 * of interrupts for each channel. The number of channels is a parameter of
 * the module. The state is made at load and given back at unload.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/slab.h>

#define FAULTY_READY 0x41

struct faulty_state {
	u8 status;
	u32 interrupts[];
};

static unsigned int channels;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "Number of channels of the device");

static struct faulty_state *faulty_state;

static int __init faulty_init(void)
{
	struct faulty_state *state = NULL;

	pr_info("setting up %u channels\n", channels);
	if (channels)
		state = kzalloc(struct_size(state, interrupts, channels),
				GFP_KERNEL);
	state->status = FAULTY_READY;
	faulty_state = state;
	pr_info("ready\n");
	return 0;
}

static void __exit faulty_exit(void)
{
	kfree(faulty_state);
	pr_info("gone\n");
}

module_init(faulty_init);
module_exit(faulty_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Driver of a device that does not exist");
MODULE_VERSION("1.0");
