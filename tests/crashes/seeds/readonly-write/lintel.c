/* A small file system in memory; mounted without options it takes those that it has of its own. */
#include <linux/fs_context.h>
#include <linux/pagemap.h>
#include <linux/string.h>
#include "seed.h"

#define LINTEL_MAGIC 0x4c494e54

static char *lintel_defaults = "mode=755,stone=granite";

struct lintel {
	char *given;
	umode_t mode;
};

static int lintel_parse(struct lintel *lintel, char *options)
{
	char *option;
	int error;

	while ((option = strsep(&options, ",")) != NULL) {
		if (strncmp(option, "mode=", 5))
			continue;
		error = kstrtou16(option + 5, 8, &lintel->mode);
		if (error)
			return error;
	}
	return 0;
}

static int lintel_fill(struct super_block *sb, struct fs_context *fc)
{
	struct lintel *lintel = fc->fs_private;
	struct inode *inode;
	int error = lintel_parse(lintel, lintel->given ?: lintel_defaults);

	if (error)
		return error;
	sb->s_magic = LINTEL_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_op = NULL;
	inode = new_inode(sb);
	if (!inode)
		return -ENOMEM;
	inode->i_ino = 1;
	inode->i_mode = S_IFDIR | lintel->mode;
	inode->i_op = &simple_dir_inode_operations;
	inode->i_fop = &simple_dir_operations;
	sb->s_root = d_make_root(inode);
	return sb->s_root ? 0 : -ENOMEM;
}

static int lintel_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, lintel_fill);
}

static void lintel_free(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations lintel_context = {
	.get_tree = lintel_get_tree,
	.free = lintel_free,
};

static int lintel_init_context(struct fs_context *fc)
{
	fc->fs_private = kzalloc(sizeof(struct lintel), GFP_KERNEL);
	fc->ops = &lintel_context;
	return fc->fs_private ? 0 : -ENOMEM;
}

static struct file_system_type lintel_type = {
	.owner = THIS_MODULE,
	.name = "lintel",
	.init_fs_context = lintel_init_context,
	.kill_sb = kill_anon_super,
};

static int __init lintel_init(void)
{
	return register_filesystem(&lintel_type);
}
module_init(lintel_init);
