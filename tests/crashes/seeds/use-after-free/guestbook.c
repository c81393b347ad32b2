/* A guest book that counts who holds the last visit; who reads it wants to know the page. */
#include <linux/kref.h>
#include "seed.h"

struct leaf {
	unsigned int number;
	char text[100];
};

struct visit {
	struct kref held;
	char name[32];
	unsigned long day;
	struct leaf *page;
	char from[40];
};

static struct leaf leaf = { .number = 12 };
static struct visit *last;

static void visit_release(struct kref *held)
{
	kfree(container_of(held, struct visit, held));
}

static ssize_t guestbook_read(struct file *file, char __user *text, size_t count, loff_t *pos)
{
	struct visit *visit = READ_ONCE(last);
	unsigned int at;

	if (!visit)
		return 0;
	at = visit->page->number;
	return at > count ? 0 : put_user((char)at, text);
}

static ssize_t guestbook_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char word;

	if (get_user(word, text))
		return -EFAULT;
	if (word == 's') {
		last = kzalloc(sizeof(*last), GFP_KERNEL);
		if (!last)
			return -ENOMEM;
		kref_init(&last->held);
		last->page = &leaf;
	} else if (last) {
		kref_put(&last->held, visit_release);
	}
	return count;
}

static const struct file_operations guestbook_ops = {
	.owner = THIS_MODULE,
	.read = guestbook_read,
	.write = guestbook_write,
};

static struct miscdevice guestbook = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "guestbook",
	.fops = &guestbook_ops,
};
module_misc_device(guestbook);
