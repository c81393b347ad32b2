// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>

struct lamp {
	int level;
};

static struct lamp *lamp;

static int power(int on)
{
	return on ? 0 : -EIO;
}

static int attach(int level)
{
	struct lamp *one;
	int error;

	one = kzalloc(sizeof(*one), GFP_KERNEL);
	if (!one)
		return -ENOMEM;
	error = power(1);
	if (error < 0)
		return -EIO; /* BUG */
	one->level = level;
	lamp = one;
	return 0;
}
