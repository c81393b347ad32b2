/* Needs a function that this kernel does not have loaded. */
#include <linux/crc-itu-t.h>
#include "seed.h"

static char *text = "drip";
module_param(text, charp, 0400);

static int __init eaves_init(void)
{
	pr_info("eaves: %04x\n", crc_itu_t(0, (const u8 *)text, strlen(text)));
	return 0;
}
module_init(eaves_init);
