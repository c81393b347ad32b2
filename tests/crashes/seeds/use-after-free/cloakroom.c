/* Coats get a number from an IDR; a coat that is fetched is freed, and its number stays valid. */
#include <linux/debugfs.h>
#include <linux/idr.h>
#include "seed.h"

struct coat;

struct cut {
	unsigned int buttons;
	unsigned int (*warmth)(const struct coat *coat);
};

struct coat {
	char owner[60];
	const struct cut *cut;
	unsigned int lining;
};

static DEFINE_IDR(coats);
static DEFINE_MUTEX(counter);

static unsigned int warm_as_lined(const struct coat *coat)
{
	return 10 + coat->lining;
}

static const struct cut ulster = { .buttons = 8, .warmth = warm_as_lined };

static int coat_hang(const char *owner)
{
	struct coat *coat = kzalloc(sizeof(*coat), GFP_KERNEL);

	if (!coat)
		return -ENOMEM;
	strscpy(coat->owner, owner, sizeof(coat->owner));
	coat->cut = &ulster;
	return idr_alloc(&coats, coat, 1, 0, GFP_KERNEL);
}

static int coat_fetch(int number)
{
	struct coat *coat = idr_find(&coats, number);

	kfree(coat);
	return coat ? 0 : -ENOENT;
}

static int coat_warmth(int number)
{
	const struct coat *coat = idr_find(&coats, number);

	return coat ? coat->cut->warmth(coat) : -ENOENT;
}

/* "+NAME" hangs a coat, "-N" fetches one, "?N" asks how warm it is. */
static ssize_t cloakroom_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	int number = 0, error = -EINVAL;
	char *said = memdup_user_nul(text, min_t(size_t, count, 120));

	if (IS_ERR(said))
		return PTR_ERR(said);
	mutex_lock(&counter);
	if (said[0] == '+')
		error = coat_hang(said + 1);
	else if (kstrtoint(strim(said + 1), 10, &number))
		error = -EINVAL;
	else
		error = said[0] == '-' ? coat_fetch(number) : coat_warmth(number);
	mutex_unlock(&counter);
	if (said[0] == '?')
		kfree(said);
	return error < 0 ? error : count;
}

static const struct file_operations cloakroom_ops = {
	.owner = THIS_MODULE,
	.write = cloakroom_write,
};

static int __init cloakroom_init(void)
{
	debugfs_create_file("cloakroom", 0200, NULL, NULL, &cloakroom_ops);
	return 0;
}
module_init(cloakroom_init);
