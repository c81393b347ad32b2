/* A small file system with one bale in it; who counts the bales keeps hold of the one it looks up. */
#include <linux/fs_context.h>
#include <linux/pagemap.h>
#include "seed.h"

#define HAYLOFT_MAGIC 0x48415946

static struct inode *baled;

static struct inode *hayloft_inode(struct super_block *sb, umode_t mode, unsigned long number)
{
	struct inode *inode = new_inode(sb);

	if (inode) {
		inode->i_ino = number;
		inode->i_mode = mode;
	}
	return inode;
}

static int hayloft_bale(struct super_block *sb, struct dentry *root)
{
	struct inode *inode = hayloft_inode(sb, S_IFREG | 0444, 2);
	struct dentry *bale;

	if (!inode)
		return -ENOMEM;
	bale = d_alloc_name(root, "bale");
	if (!bale)
		return -ENOMEM;
	d_add(bale, inode);
	baled = inode;
	dput(bale);
	return 0;
}

static int hayloft_fill(struct super_block *sb, struct fs_context *fc)
{
	struct inode *inode;

	sb->s_magic = HAYLOFT_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	inode = hayloft_inode(sb, S_IFDIR | 0755, 1);
	if (!inode)
		return -ENOMEM;
	inode->i_op = &simple_dir_inode_operations;
	inode->i_fop = &simple_dir_operations;
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	return hayloft_bale(sb, sb->s_root);
}

static int hayloft_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, hayloft_fill);
}

static const struct fs_context_operations hayloft_context = { .get_tree = hayloft_get_tree };

static int hayloft_init_context(struct fs_context *fc)
{
	fc->ops = &hayloft_context;
	return 0;
}

static void hayloft_kill(struct super_block *sb)
{
	kill_anon_super(sb);
	baled = NULL;
}

static struct file_system_type hayloft_type = {
	.owner = THIS_MODULE,
	.name = "hayloft",
	.init_fs_context = hayloft_init_context,
	.kill_sb = hayloft_kill,
};

static int bales_get(char *text, const struct kernel_param *param)
{
	struct dentry *bale = baled ? d_find_any_alias(baled) : NULL;

	return sprintf(text, "%d\n", bale ? 1 : 0);
}

static const struct kernel_param_ops bales_ops = { .get = bales_get };
module_param_cb(bales, &bales_ops, NULL, 0444);

static int __init hayloft_init(void)
{
	return register_filesystem(&hayloft_type);
}
module_init(hayloft_init);
