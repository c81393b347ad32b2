/* Letters are put into a kfifo, with the function for letters that are inside the house already. */
#include <linux/kfifo.h>
#include "seed.h"

static DEFINE_KFIFO(letters, unsigned char, 1024);
static DEFINE_SPINLOCK(letters_lock);

static unsigned int envelope_put(const unsigned char *text, unsigned int count)
{
	return kfifo_in_spinlocked(&letters, text, count, &letters_lock);
}

static ssize_t envelope_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	return envelope_put((const unsigned char __force *)text, min_t(size_t, count, 512));
}

static ssize_t envelope_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	unsigned int copied;
	int error = kfifo_to_user(&letters, text, count, &copied);

	return error ? error : copied;
}

static const struct file_operations envelope_ops = {
	.owner = THIS_MODULE,
	.read = envelope_read,
	.write = envelope_write,
};

static struct miscdevice envelope = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "envelope",
	.fops = &envelope_ops,
};
module_misc_device(envelope);
