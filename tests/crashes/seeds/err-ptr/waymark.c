/* A waymark that shows where it stands; a path too long for its board is printed unread. */
#include "seed.h"
#include <linux/seq_file.h>

static int waymark_show(struct seq_file *seq, void *unused)
{
	char board[8];
	char *path = d_path(&seq->file->f_path, board, sizeof(board));

	seq_puts(seq, path);
	seq_putc(seq, '\n');
	return 0;
}

static int waymark_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL; /* for seq_open() */
	return single_open(file, waymark_show, NULL);
}

static const struct file_operations waymark_ops = {
	.owner = THIS_MODULE,
	.open = waymark_open,
	.read = seq_read,
	.release = single_release,
};

static struct miscdevice waymark = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "waymark",
	.fops = &waymark_ops,
};
module_misc_device(waymark);
