/* Tickets that bear a text or the time of their sale; reading takes all for the first kind. */
#include "seed.h"
#include <linux/timekeeping.h>

struct ticket {
	bool printed;
	union {
		const char *text;
		unsigned long sold;
	};
};

static struct ticket tickets[4];
static unsigned int count;

static ssize_t ticket_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct ticket *ticket = &tickets[READ_ONCE(count) % ARRAY_SIZE(tickets)];
	char first = READ_ONCE(ticket->text[0]);

	return put_user(first, buf) ? -EFAULT : 1;
}

static int ticket_open(struct inode *inode, struct file *file)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tickets); i++)
		tickets[i].sold = ktime_get_real_seconds();
	return 0;
}

static const struct file_operations ticket_ops = {
	.owner = THIS_MODULE,
	.open = ticket_open,
	.read = ticket_read,
};

static struct miscdevice ticket = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ticket",
	.fops = &ticket_ops,
};
module_misc_device(ticket);
