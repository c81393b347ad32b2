// SPDX-License-Identifier: MIT
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct job {
	struct list_head node;
	int number;
};

static LIST_HEAD(waiting);
static LIST_HEAD(done);

static void moved(struct job *job)
{
	list_del(&job->node);
	list_add(&job->node, &done);
	list_del_init(&job->node);
	list_add_tail(&job->node, &waiting);
	list_move(&job->node, &done);
}

static void finish_all(void)
{
	struct job *job, *next;

	list_for_each_entry_safe(job, next, &waiting, node) {
		if (job->number)
			list_move(&job->node, &done);
	}
}

static void finish(int number)
{
	struct job *job;

	list_for_each_entry(job, &waiting, node) {
		if (job->number == number) {
			list_move(&job->node, &done);
			return;
		}
	}
}

static void cancel(struct job *job)
{
	if (list_empty(&job->node))
		return;
	list_del_init(&job->node);
	pr_info("job %d cancelled\n", job->number);
}

static void drop(struct job *job)
{
	list_del(&job->node);
	kfree(job);
}
