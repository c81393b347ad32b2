/* A satchel that may hold a file; on leaving it is closed even if it could not be opened. */
#include "seed.h"

static char *path = "/var/lib/satchel";
module_param(path, charp, 0444);

static struct file *inside;

static int __init satchel_init(void)
{
	inside = filp_open(path, O_RDWR, 0);
	if (IS_ERR(inside))
		pr_info("satchel: nothing at %s yet\n", path);
	return 0;
}
module_init(satchel_init);

static void __exit satchel_exit(void)
{
	if (inside)
		filp_close(inside, NULL);
}
module_exit(satchel_exit);
