// SPDX-License-Identifier: GPL-2.0
/* A write to its parameter `dim` goes through a pointer that nobody has set. */
#include <linux/module.h>
#include <linux/moduleparam.h>

struct lamp {
	int colour;
	int level;
};

struct lamp *lamp;

static noinline void lamp_dim(struct lamp *which, int by)
{
	which->level -= by; /* here */
}

static int dim_set(const char *text, const struct kernel_param *param)
{
	lamp_dim(lamp, 1);
	return 0;
}

static const struct kernel_param_ops dim_ops = { .set = dim_set };
module_param_cb(dim, &dim_ops, NULL, 0200);

static int __init lamp_init(void)
{
	return 0;
}

static void __exit lamp_exit(void)
{
}

module_init(lamp_init);
module_exit(lamp_exit);
MODULE_LICENSE("GPL");
