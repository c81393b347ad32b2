/* A cobbler's last, given as a number, which is written to the log byte by byte. */
#include "seed.h"

static unsigned long long last;

static noinline void cobbler_hex(const u8 *bytes, size_t count)
{
	char line[16];
	char *end = line;
	size_t i;

	for (i = 0; i < count; i++)
		end += sprintf(end, "%02x  ", bytes[i]);
	pr_info("cobbler: %s\n", line);
}

static int cobbler_set(const char *text, const struct kernel_param *param)
{
	int error = param_set_ullong(text, param);

	if (!error && last)
		cobbler_hex((const u8 *)&last, sizeof(last));
	return error;
}

static const struct kernel_param_ops cobbler_ops = {
	.set = cobbler_set,
	.get = param_get_ullong,
};
module_param_cb(last, &cobbler_ops, &last, 0644);
