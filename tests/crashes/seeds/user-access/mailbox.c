/* A mailbox; what is written to it is taken out of the writer's hands without asking. */
#include "seed.h"

static char letter[64];

static ssize_t mailbox_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	const char *text = (const char __force *)buf;
	size_t i;

	for (i = 0; i < count && i < sizeof(letter) - 1; i++)
		WRITE_ONCE(letter[i], READ_ONCE(text[i]));
	letter[i] = 0;
	return count;
}

static const struct file_operations mailbox_ops = {
	.owner = THIS_MODULE,
	.write = mailbox_write,
};

static struct miscdevice mailbox = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mailbox",
	.fops = &mailbox_ops,
};
module_misc_device(mailbox);
