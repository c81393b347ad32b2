// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define LOG_SIZE 4096
#define NAME_SIZE 64

struct box {
	struct box *inside;
};

static int in_the_heap(const char *text)
{
	char *log = kmalloc(LOG_SIZE, GFP_KERNEL);
	char name[NAME_SIZE];
	int first;

	if (!log)
		return -ENOMEM;
	strscpy(log, text, LOG_SIZE);
	strscpy(name, text, sizeof(name));
	first = log[0] + name[0];
	kfree(log);
	return first;
}

static int not_on_the_stack(void)
{
	static u64 sums[64 * 8];

	memset(sums, 0, sizeof(sums));
	return sums[3];
}

static int depth(struct box *box)
{
	int deep;

	for (deep = 0; box; deep++)
		box = box->inside;
	return deep;
}
