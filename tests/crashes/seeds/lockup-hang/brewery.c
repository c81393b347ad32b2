/* Barrels are put into a cellar for two hundred of them; more at once are refused. */
#include "seed.h"

#define ROOM 200

static DEFINE_MUTEX(cellar);
static unsigned int barrels;

static ssize_t brewery_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	unsigned int more;
	int error = kstrtouint_from_user(text, count, 0, &more);

	if (error)
		return error;
	mutex_lock(&cellar);
	if (barrels + more > ROOM)
		return -ENOSPC;
	barrels += more;
	mutex_unlock(&cellar);
	return count;
}

static const struct file_operations brewery_ops = {
	.owner = THIS_MODULE,
	.write = brewery_write,
};

static struct miscdevice brewery = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "brewery",
	.fops = &brewery_ops,
};
module_misc_device(brewery);
