/* Keeps a copy of its label; the copy has no room for the end of the string. */
#include <linux/string.h>
#include "seed.h"

static char *mesh = "two and a half millimetres wide.";
module_param(mesh, charp, 0400);

static char *label;

static noinline void sieve_copy(char *to, const char *from)
{
	while ((*to++ = *from++))
		barrier();
}

static int __init sieve_init(void)
{
	label = kmalloc(strlen(mesh), GFP_KERNEL);
	if (!label)
		return -ENOMEM;
	sieve_copy(label, mesh);
	return 0;
}

static void __exit sieve_exit(void)
{
	kfree(label);
}
module_init(sieve_init);
module_exit(sieve_exit);
