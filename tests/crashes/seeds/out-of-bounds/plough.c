/* Takes the name of a field; it is copied to the stack however long it is. */
#include "seed.h"

static unsigned long fields;

static noinline int plough_field(const char *name, size_t length)
{
	char field[16];
	size_t i;

	for (i = 0; i < length; i++)
		((volatile char *)field)[i] = name[i];
	fields += field[0];
	return 0;
}

static ssize_t plough_write(struct file *file, const char __user *text, size_t count, loff_t *pos)
{
	char *name = memdup_user_nul(text, count);

	if (IS_ERR(name))
		return PTR_ERR(name);
	plough_field(name, strlen(name));
	kfree(name);
	return count;
}

static const struct proc_ops plough_ops = { .proc_write = plough_write };

static int __init plough_init(void)
{
	return proc_create("plough", 0200, NULL, &plough_ops) ? 0 : -ENOMEM;
}
module_init(plough_init);
