// SPDX-License-Identifier: MIT
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

static DEFINE_SPINLOCK(lock);
static DEFINE_MUTEX(mutex);
static char *text;
static int ready;

static int awake(size_t count)
{
	char *made = kmalloc(count, GFP_KERNEL);

	if (!made)
		return -ENOMEM;
	spin_lock(&lock);
	kfree(text);
	text = made;
	spin_unlock(&lock);
	made = kmalloc(count, GFP_KERNEL);
	kfree(made);
	return 0;
}

static int atomic(size_t count)
{
	int error;

	spin_lock(&lock);
	text = kmalloc(count, GFP_ATOMIC);
	error = text ? 0 : -ENOMEM;
	spin_unlock(&lock);
	return error;
}

static int given_back(int level)
{
	mutex_lock(&mutex);
	if (level > 9) {
		mutex_unlock(&mutex);
		return -EINVAL;
	}
	ready = level;
	mutex_unlock(&mutex);
	return 0;
}

static int in_turn(int level)
{
	int error = 0;

	mutex_lock(&mutex);
	if (level > 9) {
		error = -EINVAL;
		goto out;
	}
	ready = level;
out:
	mutex_unlock(&mutex);
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
	return error;
}

static int until_told(void *data)
{
	while (1) {
		if (kthread_should_stop())
			break;
		ready++;
		msleep(10);
	}
	return 0;
}
