/* A plaque on which a letter can be changed; what is engraved there was meant to last. */
#include "seed.h"

static const char motto[] = "steady as she goes";

static noinline void plaque_engrave(char *text, char letter)
{
	WRITE_ONCE(text[0], letter);
}

static ssize_t plaque_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char letter;

	if (get_user(letter, buf))
		return -EFAULT;
	plaque_engrave((char *)motto, letter);
	return count;
}

static ssize_t plaque_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	return simple_read_from_buffer(buf, size, pos, motto, sizeof(motto));
}

static const struct file_operations plaque_ops = {
	.owner = THIS_MODULE,
	.read = plaque_read,
	.write = plaque_write,
};

static struct miscdevice plaque = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "plaque",
	.fops = &plaque_ops,
};
module_misc_device(plaque);
