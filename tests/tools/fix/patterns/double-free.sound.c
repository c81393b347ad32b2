// SPDX-License-Identifier: MIT
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>

struct lamp {
	char *name;
};

static int check(struct lamp *lamp)
{
	return lamp->name ? 0 : -EINVAL;
}

static int set_up(struct lamp *lamp)
{
	int error = check(lamp);

	if (error)
		goto failed;
	return 0;
failed:
	kfree(lamp->name);
	return error;
}

static void renamed(struct lamp *lamp, const char *name)
{
	kfree(lamp->name);
	lamp->name = kstrdup(name, GFP_KERNEL);
	kfree(lamp->name);
	lamp->name = NULL;
}

static void either(struct lamp *lamp, int all)
{
	if (all) {
		kfree(lamp->name);
		return;
	}
	kfree(lamp->name);
}

static int by_the_device(struct device *dev)
{
	char *text = devm_kzalloc(dev, 16, GFP_KERNEL);

	return text ? 0 : -ENOMEM;
}
