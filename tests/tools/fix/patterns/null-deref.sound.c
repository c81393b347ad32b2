// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct lamp {
	int level;
	char *name;
};

static struct lamp *lamp;

static int checked(void)
{
	lamp = kzalloc(sizeof(*lamp), GFP_KERNEL);
	if (!lamp)
		return -ENOMEM;
	lamp->level = 1;
	return 0;
}

static int in_the_condition(const char *name)
{
	char *copy;

	if (!(copy = kmalloc(16, GFP_KERNEL)))
		return -ENOMEM;
	memcpy(copy, name, 16);
	lamp->name = copy;
	return 0;
}

static void compared(const char *name)
{
	char *copy = kmalloc(16, GFP_KERNEL);

	if (copy != NULL)
		memcpy(copy, name, 16);
	lamp->name = copy;
}

static void cut(char *text)
{
	char *comma = strchr(text, ',');

	if (comma)
		*comma = '\0';
}

static int with_else(int on)
{
	struct lamp *found = NULL;

	if (on)
		found = lamp;
	if (unlikely(!found))
		return -ENODEV;
	found->level = 0;
	return 0;
}

static void in_the_right_branch(struct lamp *one)
{
	if (!one) {
		one = lamp;
		one->level = 1;
		return;
	}
	one->level = 0;
}

static int right_question(void)
{
	struct lamp *one = kmalloc(sizeof(*one), GFP_KERNEL);

	if (!one)
		return -ENOMEM;
	lamp = one;
	return one->name ? one->level : 0;
}

static int with_size_of_itself(void)
{
	struct lamp *one = kzalloc(sizeof(*one), GFP_KERNEL);

	if (one) {
		one->level = 2;
		lamp = one;
	}
	return one && one->level;
}

static int in_one_breath(int number)
{
	struct lamp *one = kzalloc(sizeof(*one), GFP_KERNEL);

	return one && one->level == number;
}
