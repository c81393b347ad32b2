// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * modes: sets the modes of a device that does not exist.
 *
 * They are named in a parameter of the module, with commas between them, and
 * taken apart at load.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

#define MODES_MOST 4

static char *modes = "fast,quiet";
module_param(modes, charp, 0444);
MODULE_PARM_DESC(modes, "Modes of the device, with commas between them");

static const char *mode[MODES_MOST];
static unsigned int count;

static int modes_split(char *text)
{
	while (text && count < MODES_MOST) {
		char *comma = strchr(text, ',');

		mode[count++] = text;
		if (comma)
			*comma++ = '\0';
		text = comma;
	}
	return text ? -E2BIG : 0;
}

static int __init modes_init(void)
{
	unsigned int number;
	int error = modes_split(modes);

	if (error)
		return error;
	for (number = 0; number < count; number++)
		pr_info("mode %u: %s\n", number, mode[number]);
	return 0;
}

static void __exit modes_exit(void)
{
	pr_info("gone\n");
}

module_init(modes_init);
module_exit(modes_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Modes of a device that does not exist");
MODULE_VERSION("1.0");
