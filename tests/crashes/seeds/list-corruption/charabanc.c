/* Passengers wait in a row for a charabanc; who has waited for long enough goes home. */
#include <linux/delay.h>
#include "seed.h"

struct passenger {
	struct list_head row;
	char name[16];
	bool taken;
};

static LIST_HEAD(passengers);
static DEFINE_MUTEX(row_lock);

static noinline int charabanc_wait(const char __user *text, size_t count)
{
	struct passenger self = { .taken = false };

	if (copy_from_user(self.name, text, min(count, sizeof(self.name) - 1)))
		return -EFAULT;
	mutex_lock(&row_lock);
	list_add_tail(&self.row, &passengers);
	mutex_unlock(&row_lock);
	msleep(20);
	if (!READ_ONCE(self.taken))
		return -ETIMEDOUT;
	mutex_lock(&row_lock);
	list_del(&self.row);
	mutex_unlock(&row_lock);
	return 0;
}

static ssize_t charabanc_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	int error = charabanc_wait(text, count);

	return error ? error : count;
}

static const struct file_operations charabanc_ops = {
	.owner = THIS_MODULE,
	.write = charabanc_write,
};

static struct miscdevice charabanc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "charabanc",
	.fops = &charabanc_ops,
};
module_misc_device(charabanc);
