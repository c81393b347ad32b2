/* A gazetteer read from a file; where the file is missing, its size is asked for all the same. */
#include "seed.h"

static char *path = "/etc/gazetteer.txt";
module_param(path, charp, 0444);

static loff_t size;

static int __init gazetteer_init(void)
{
	struct file *book = filp_open(path, O_RDONLY, 0);

	if (!book)
		return -ENOENT;
	size = i_size_read(file_inode(book));
	filp_close(book, NULL);
	pr_info("gazetteer: %lld bytes\n", size);
	return 0;
}
module_init(gazetteer_init);

static void __exit gazetteer_exit(void)
{
}
module_exit(gazetteer_exit);
