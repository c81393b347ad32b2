// SPDX-License-Identifier: MIT
#include <linux/list.h>
#include <linux/module.h>

struct lamp {
	struct list_head node;
	int level;
};

static LIST_HEAD(all);
static struct lamp spares[2];

static void find(struct lamp **found)
{
	*found = &spares[0];
}

static int set(int on)
{
	struct lamp *lamp, *other;

	if (on)
		lamp = &spares[0];
	else
		lamp = &spares[1];
	find(&other);
	return lamp->level + other->level;
}

static int first(void)
{
	struct lamp *lamp;

	if (list_empty(&all))
		return -ENOENT;
	lamp = list_first_entry(&all, struct lamp, node);
	return lamp->level;
}

static void every(void)
{
	while (!list_empty(&all)) {
		struct lamp *lamp = list_first_entry(&all, struct lamp, node);

		list_del(&lamp->node);
	}
}

static int in_the_walk(int level)
{
	struct lamp *lamp, *found = NULL;

	list_for_each_entry(lamp, &all, node) {
		if (lamp->level == level) {
			found = lamp;
			break;
		}
	}
	list_for_each_entry(lamp, &all, node)
		pr_info("%d\n", lamp->level);
	return found ? found->level : -ENOENT;
}

static unsigned long token(struct lamp *lamp)
{
	int level = (int)lamp->level;

	return (unsigned long)lamp + level;
}

static struct lamp *spare(void)
{
	static struct lamp lamp;

	lamp.level = 1;
	return &lamp;
}

static size_t size(void)
{
	struct lamp *lamp;

	return sizeof(*lamp) + sizeof(lamp->level);
}
