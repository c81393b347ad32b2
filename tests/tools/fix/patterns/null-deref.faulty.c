// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct lamp {
	int level;
	char *name;
};

static struct lamp *lamp;

static int unchecked(void)
{
	lamp = kzalloc(sizeof(*lamp), GFP_KERNEL);
	lamp->level = 1; /* BUG */
	return 0;
}

static void copied(const char *name)
{
	char *copy = kmalloc(16, GFP_KERNEL);

	memcpy(copy, name, 16); /* BUG */
	lamp->name = copy;
}

static void cut(char *text)
{
	char *comma = strchr(text, ',');

	*comma = '\0'; /* BUG */
}

static void started_as_null(int on)
{
	struct lamp *found = NULL;

	if (on)
		found = lamp;
	found->level = 0; /* BUG */
}

static void in_the_wrong_branch(struct lamp *one)
{
	if (!one) {
		pr_err("no lamp for level %d\n", one->level); /* BUG */
		return;
	}
	one->level = 0;
}

static void too_late(struct lamp *one)
{
	int level = one->level; /* BUG */

	if (!one)
		return;
	one->level = level + 1;
}

static int wrong_question(void)
{
	struct lamp *one = kmalloc(sizeof(*one), GFP_KERNEL);

	if (IS_ERR(one)) /* BUG */
		return PTR_ERR(one);
	lamp = one;
	return 0;
}
