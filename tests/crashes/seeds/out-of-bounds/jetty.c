/* A jetty with berths that are named by a write; a long name runs on into the next berth. */
#include "seed.h"

#define BERTHS 256

struct berth {
	char name[40];
	int (*moor)(struct berth *berth);
	unsigned long moored[2];
};

static struct berth *berths[BERTHS];

static int berth_moor(struct berth *berth)
{
	berth->moored[0]++;
	return berth->name[0];
}

static noinline void berth_rename(struct berth *berth, const char *name)
{
	char *to = berth->name;

	while ((*to++ = *name++))
		barrier();
}

static ssize_t jetty_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *name = memdup_user_nul(text, min_t(size_t, count, 250));

	if (IS_ERR(name))
		return PTR_ERR(name);
	berth_rename(berths[100], name);
	kfree(name);
	return count;
}

static ssize_t jetty_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	int i;

	for (i = 0; i < BERTHS; i++)
		if (i != 100)
			berths[i]->moor(berths[i]);
	return 0;
}

static int jetty_release(struct inode *inode, struct file *file)
{
	kfree(berths[100]);
	berths[100] = kzalloc(sizeof(struct berth), GFP_KERNEL);
	return 0;
}

static const struct file_operations jetty_ops = {
	.owner = THIS_MODULE,
	.read = jetty_read,
	.write = jetty_write,
	.release = jetty_release,
};

static struct miscdevice jetty = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "jetty",
	.fops = &jetty_ops,
};

static int __init jetty_init(void)
{
	int i;

	for (i = 0; i < BERTHS; i++) {
		berths[i] = kzalloc(sizeof(struct berth), GFP_KERNEL);
		if (!berths[i])
			return -ENOMEM;
		berths[i]->moor = berth_moor;
	}
	return misc_register(&jetty);
}
module_init(jetty_init);
