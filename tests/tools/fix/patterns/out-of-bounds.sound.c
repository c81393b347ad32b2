// SPDX-License-Identifier: MIT
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define LAMPS 8

struct room {
	int lamps[LAMPS];
	char name[32];
};

static int levels[LAMPS];

static void all(void)
{
	int i;

	for (i = 0; i < LAMPS; i++)
		levels[i] = 0;
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		levels[i] = i;
	for (i = 0; i <= LAMPS - 1; i++)
		levels[i] = i;
}

static void all_of_a_member(struct room *room)
{
	int i;

	for (i = 0; i < LAMPS; i++)
		room->lamps[i] = 0;
	room->name[sizeof(room->name) - 1] = '\0';
}

static struct room *of_object(void)
{
	struct room *room = kzalloc(sizeof(*room), GFP_KERNEL);
	char text[8];

	memset(text, 0, sizeof(text));
	return room;
}

static char *copy(const char *name)
{
	char *text = kmalloc(strlen(name) + 1, GFP_KERNEL);

	if (!text)
		return NULL;
	strcpy(text, name);
	return text;
}

static char *header(const char *from)
{
	char *text = kmalloc(64, GFP_KERNEL);

	if (!text)
		return NULL;
	memcpy(text, from, 16);
	return text;
}

static ssize_t room_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char name[32];

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	return count;
}

static ssize_t short_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char name[32];

	count = min(count, sizeof(name));
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	return count;
}

static ssize_t long_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char *text = kmalloc(count + 1, GFP_KERNEL);

	if (!text)
		return -ENOMEM;
	if (copy_from_user(text, buf, count)) {
		kfree(text);
		return -EFAULT;
	}
	kfree(text);
	return count;
}

static char *kept(const char *from, size_t count)
{
	char *text = kmalloc(count + 1, GFP_KERNEL);

	if (!text)
		return NULL;
	memcpy(text, from, count);
	text[count] = '\0';
	return text;
}
