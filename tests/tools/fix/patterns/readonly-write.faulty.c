// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/string.h>

struct limits {
	int most;
};

static const struct limits limits = { .most = 9 };

static char *modes = "fast,quiet";

static void shout(void)
{
	char *name = "lamp";

	name[0] = 'L'; /* BUG */
}

static int split(char *text)
{
	char *comma = strchr(text, ',');

	if (comma)
		*comma++ = '\0'; /* BUG */
	return comma != NULL;
}

static int __init lamp_init(void)
{
	((struct limits *)&limits)->most = 99; /* BUG */
	shout();
	return split(modes);
}
