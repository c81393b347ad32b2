/* A stencil that can be blanked by a file in debugfs: the first bytes of its function are cleared. */
#include "seed.h"
#include <linux/debugfs.h>

static struct dentry *folder;

static noinline int stencil_draw(int strokes)
{
	return READ_ONCE(strokes) * 3;
}

static int (*draw)(int strokes) = stencil_draw;

static int stencil_blank(void *data, u64 value)
{
	u32 *code = (u32 *)READ_ONCE(draw);

	WRITE_ONCE(*code, (u32)value);
	return draw(2) ? 0 : -EINVAL;
}
DEFINE_DEBUGFS_ATTRIBUTE(stencil_ops, NULL, stencil_blank, "%llu\n");

static int __init stencil_init(void)
{
	folder = debugfs_create_dir("stencil", NULL);
	debugfs_create_file("blank", 0200, folder, NULL, &stencil_ops);
	return 0;
}
module_init(stencil_init);

static void __exit stencil_exit(void)
{
	debugfs_remove(folder);
}
module_exit(stencil_exit);
