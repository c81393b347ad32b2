// SPDX-License-Identifier: MIT
#include <linux/clk.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/string.h>

static struct task_struct *task;

static int unasked(int (*work)(void *data))
{
	task = kthread_run(work, NULL, "lamp");
	task->flags |= 1; /* BUG */
	return 0;
}

static loff_t length(const char *name)
{
	struct file *file = filp_open(name, O_RDONLY, 0);

	return file->f_pos; /* BUG */
}

static int tested_for_null(struct device *dev)
{
	struct clk *clk = devm_clk_get(dev, NULL);

	if (!clk) /* BUG */
		return -ENODEV;
	return clk_prepare_enable(clk);
}

static int in_the_wrong_branch(int (*work)(void *data))
{
	task = kthread_run(work, NULL, "lamp");
	if (IS_ERR(task)) {
		pr_err("no thread %d\n", task->pid); /* BUG */
		return PTR_ERR(task);
	}
	return 0;
}

static char first(const char __user *text, size_t count)
{
	char *copy = memdup_user_nul(text, count);

	return copy[0]; /* BUG */
}
