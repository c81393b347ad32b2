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

static void one_past(void)
{
	int i;

	for (i = 0; i <= LAMPS; i++) /* BUG */
		levels[i] = 0;
}

static void one_past_by_size(void)
{
	int i;

	for (i = 0; i <= ARRAY_SIZE(levels); i++) { /* BUG */
		levels[i] = i;
	}
}

static void one_past_of_a_member(struct room *room)
{
	int i;

	for (i = 0; i <= LAMPS; i++) { /* BUG */
		room->lamps[i] = 0;
	}
}

static void last_byte(struct room *room)
{
	room->name[sizeof(room->name)] = '\0'; /* BUG */
}

static struct room *of_pointer(void)
{
	struct room *room = kzalloc(sizeof(room), GFP_KERNEL); /* BUG */

	return room;
}

static void cleared(struct room *room)
{
	memset(room, 0, sizeof(room)); /* BUG */
}

static char *copy(const char *name)
{
	char *text = kmalloc(strlen(name), GFP_KERNEL);

	if (!text)
		return NULL;
	strcpy(text, name); /* BUG */
	return text;
}

static char *header(const char *from)
{
	char *text = kmalloc(16, GFP_KERNEL);

	if (!text)
		return NULL;
	memcpy(text, from, 64); /* BUG */
	return text;
}

static ssize_t room_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char name[32];

	if (copy_from_user(name, buf, count)) /* BUG */
		return -EFAULT;
	pr_info("%.*s\n", (int)count, name);
	return count;
}

static char *kept(const char *from, size_t count)
{
	char *text = kmalloc(count, GFP_KERNEL);

	if (!text)
		return NULL;
	memcpy(text, from, count);
	text[count] = '\0'; /* BUG */
	return text;
}
