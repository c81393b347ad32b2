// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/string.h>

#define LOG_SIZE 4096

struct box {
	struct box *inside;
};

static int large(const char *text)
{
	char log[LOG_SIZE]; /* BUG */

	strscpy(log, text, sizeof(log));
	return log[0];
}

static int large_numbers(void)
{
	u64 sums[64 * 8]; /* BUG */

	memset(sums, 0, sizeof(sums));
	return sums[3];
}

static int depth(struct box *box)
{
	if (!box)
		return 0;
	return 1 + depth(box->inside); /* BUG */
}
