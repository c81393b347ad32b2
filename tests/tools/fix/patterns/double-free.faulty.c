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

	if (error) {
		kfree(lamp->name);
		goto failed;
	}
	return 0;
failed:
	kfree(lamp->name); /* BUG */
	return error;
}

static void in_a_row(struct kmem_cache *cache, struct lamp *lamp)
{
	kmem_cache_free(cache, lamp);
	kmem_cache_free(cache, lamp); /* BUG */
}

static int by_hand(struct device *dev)
{
	char *text = devm_kzalloc(dev, 16, GFP_KERNEL);

	if (!text)
		return -ENOMEM;
	kfree(text); /* BUG */
	return 0;
}
