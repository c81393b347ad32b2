// SPDX-License-Identifier: MIT
#include <linux/clk.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static struct task_struct *task;

static int asked(int (*work)(void *data))
{
	task = kthread_run(work, NULL, "lamp");
	if (IS_ERR(task))
		return PTR_ERR(task);
	task->flags |= 1;
	return 0;
}

static loff_t length(const char *name)
{
	struct file *file = filp_open(name, O_RDONLY, 0);
	loff_t at;

	if (IS_ERR(file)) {
		pr_err("%s: %ld\n", name, PTR_ERR(file));
		return PTR_ERR(file);
	}
	at = file->f_pos;
	filp_close(file, NULL);
	return at;
}

static int enable(struct device *dev)
{
	struct clk *clk = devm_clk_get(dev, NULL);
	int error = PTR_ERR_OR_ZERO(clk);

	if (error)
		return error;
	return clk_prepare_enable(clk);
}

static int both(const char __user *text, size_t count)
{
	char *copy = memdup_user_nul(text, count);
	int first;

	if (IS_ERR_OR_NULL(copy))
		return -EINVAL;
	first = copy[0];
	kfree(copy);
	return first;
}
