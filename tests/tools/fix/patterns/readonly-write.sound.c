// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct limits {
	int most;
};

static const struct limits limits = { .most = 9 };
static struct limits present;

static char *modes = "fast,quiet";

static void shout(void)
{
	char name[] = "lamp";

	name[0] = 'L';
	pr_info("%s\n", name);
}

static int split(char *text)
{
	char *comma = strchr(text, ',');

	if (comma)
		*comma++ = '\0';
	return comma != NULL;
}

static int __init lamp_init(void)
{
	char *copy = kstrdup(modes, GFP_KERNEL);
	int error;

	if (!copy)
		return -ENOMEM;
	present = limits;
	((struct limits *)&present)->most = 99;
	shout();
	error = split(copy);
	kfree(copy);
	return error;
}
