// SPDX-License-Identifier: MIT
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(mutex);
static char *text;
static int ready;

static int asleep(size_t count)
{
	spin_lock(&lock);
	text = kmalloc(count, GFP_KERNEL); /* BUG */
	spin_unlock(&lock);
	return text ? 0 : -ENOMEM;
}

static int asleep_for_a_program(const char __user *buf)
{
	unsigned long flags;
	int left;

	spin_lock_irqsave(&lock, flags);
	left = copy_from_user(text, buf, 8); /* BUG */
	spin_unlock_irqrestore(&lock, flags);
	return left;
}

static int still_held(int level)
{
	mutex_lock(&mutex);
	if (level > 9)
		return -EINVAL; /* BUG */
	ready = level;
	mutex_unlock(&mutex);
	return 0;
}

static void taken_twice(void)
{
	mutex_lock(&mutex);
	ready = 0;
	mutex_lock(&mutex); /* BUG */
	mutex_unlock(&mutex);
}

static int for_ever(void *data)
{
	while (1) { /* BUG */
		ready++;
	}
	return 0;
}
