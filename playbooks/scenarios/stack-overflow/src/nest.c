// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * nest: reads a list of names in brackets, such as (a(b c)d).
 *
 * The text is written to /sys/module/nest/parameters/names; reading gives the
 * number of names and how deep they lie.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define NAME_MOST 255

static unsigned int names, deepest;

/* Reads up to the closing bracket and returns what comes after it. */
static const char *nest_list(const char *text, unsigned int depth)
{
	char name[NAME_MOST + 1];
	size_t length;

	deepest = max(deepest, depth);
	while (*text && *text != ')') {
		if (*text == '(') {
			text = nest_list(text + 1, depth + 1);
			continue;
		}
		for (length = 0; isalnum(*text) && length < NAME_MOST; text++)
			name[length++] = *text;
		name[length] = '\0';
		if (length)
			pr_info("name %u, %u deep: %s\n", ++names, depth, name);
		else
			text++;
	}
	return *text ? text + 1 : text;
}

static int nest_set(const char *text, const struct kernel_param *param)
{
	names = deepest = 0;
	nest_list(text, 0);
	return 0;
}

static int nest_get(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%u names, %u deep\n", names, deepest);
}

static const struct kernel_param_ops nest_operations = {
	.set = nest_set,
	.get = nest_get,
};

module_param_cb(names, &nest_operations, NULL, 0600);
MODULE_PARM_DESC(names, "a list of names in brackets");

static int __init nest_init(void)
{
	return 0;
}

static void __exit nest_exit(void)
{
}

module_init(nest_init);
module_exit(nest_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("A reader of lists in brackets");
MODULE_VERSION("1.0");
