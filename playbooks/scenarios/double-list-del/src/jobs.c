// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * jobs: the queue of a printer that does not exist.
 *
 * Eight jobs wait in a list from the start. Writing the number of a job to
 * /proc/jobs cancels it; reading shows the numbers of those that still wait.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define JOBS 8

struct job {
	struct list_head node;
	unsigned int number;
};

static struct job jobs[JOBS];
static LIST_HEAD(waiting);
static DEFINE_MUTEX(lock);

static void jobs_cancel(struct job *job)
{
	mutex_lock(&lock);
	list_del(&job->node);
	mutex_unlock(&lock);
	pr_info("job %u cancelled\n", job->number);
}

static ssize_t jobs_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	unsigned int number;
	int error = kstrtouint_from_user(buf, count, 10, &number);

	if (error)
		return error;
	if (number >= JOBS)
		return -ENOENT;
	jobs_cancel(&jobs[number]);
	return count;
}

static int jobs_show(struct seq_file *file, void *data)
{
	struct job *job;

	mutex_lock(&lock);
	list_for_each_entry(job, &waiting, node)
		seq_printf(file, "%u\n", job->number);
	mutex_unlock(&lock);
	return 0;
}

static int jobs_open(struct inode *inode, struct file *file)
{
	return single_open(file, jobs_show, NULL);
}

static const struct proc_ops jobs_proc = {
	.proc_open = jobs_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = jobs_write,
};

static int __init jobs_init(void)
{
	unsigned int number;

	for (number = 0; number < JOBS; number++) {
		jobs[number].number = number;
		list_add_tail(&jobs[number].node, &waiting);
	}
	if (!proc_create("jobs", 0600, NULL, &jobs_proc))
		return -ENOMEM;
	pr_info("%u jobs wait\n", JOBS);
	return 0;
}

static void __exit jobs_exit(void)
{
	remove_proc_entry("jobs", NULL);
}

module_init(jobs_init);
module_exit(jobs_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Queue of a printer that does not exist");
MODULE_VERSION("1.0");
