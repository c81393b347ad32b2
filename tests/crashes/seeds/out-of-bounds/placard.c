/* Placards with a short headline; a longer one, set in debugfs, goes on into what stands behind it. */
#include <linux/debugfs.h>
#include "seed.h"

struct placard {
	char headline[16];
	void (*paste)(struct placard *placard);
	unsigned int walls;
	struct delayed_work paste_work;
};

static struct placard *placard;

static void placard_paste(struct placard *p)
{
	p->walls++;
}

static void placard_work(struct work_struct *work)
{
	struct placard *p = container_of(to_delayed_work(work), struct placard, paste_work);

	p->paste(p);
}

static void placard_print(struct placard *p, const char *text, size_t length)
{
	memcpy(p->headline, text, length);
	schedule_delayed_work(&p->paste_work, HZ / 5);
}

static ssize_t placard_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *copy = memdup_user(text, min_t(size_t, count, 24));

	if (IS_ERR(copy))
		return PTR_ERR(copy);
	placard_print(placard, copy, min_t(size_t, count, 24));
	kfree(copy);
	return count;
}

static const struct file_operations placard_ops = {
	.owner = THIS_MODULE,
	.write = placard_write,
};

static int __init placard_init(void)
{
	placard = kzalloc(sizeof(*placard), GFP_KERNEL);
	if (!placard)
		return -ENOMEM;
	placard->paste = placard_paste;
	INIT_DELAYED_WORK(&placard->paste_work, placard_work);
	debugfs_create_file("placard", 0200, NULL, NULL, &placard_ops);
	return 0;
}
module_init(placard_init);
