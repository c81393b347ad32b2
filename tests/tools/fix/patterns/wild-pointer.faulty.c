// SPDX-License-Identifier: MIT
#include <linux/list.h>
#include <linux/module.h>

struct lamp {
	struct list_head node;
	int level;
};

static LIST_HEAD(all);

static int unset(int on)
{
	struct lamp *lamp;

	if (on)
		pr_info("on\n");
	return lamp->level; /* BUG */
}

static int first(void)
{
	struct lamp *lamp = list_first_entry(&all, struct lamp, node); /* BUG */

	return lamp->level;
}

static int after_the_walk(void)
{
	struct lamp *lamp;

	list_for_each_entry(lamp, &all, node)
		pr_info("%d\n", lamp->level);
	return lamp->level; /* BUG */
}

static unsigned int token(struct lamp *lamp)
{
	return (unsigned int)lamp; /* BUG */
}

static struct lamp *spare(void)
{
	struct lamp lamp;

	lamp.level = 1;
	return &lamp; /* BUG */
}
