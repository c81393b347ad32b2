// SPDX-License-Identifier: MIT
#include <linux/list.h>
#include <linux/module.h>

struct job {
	struct list_head node;
	int number;
};

static LIST_HEAD(waiting);
static LIST_HEAD(done);

static void in_a_row(struct job *job)
{
	list_del(&job->node);
	pr_info("job %d\n", job->number);
	list_del(&job->node); /* BUG */
	list_add(&job->node, &done);
}

static void in_two_lists(struct job *job)
{
	list_add(&job->node, &waiting);
	list_add_tail(&job->node, &done); /* BUG */
}

static void finish_all(void)
{
	struct job *job;

	list_for_each_entry(job, &waiting, node) {
		if (job->number)
			list_move(&job->node, &done); /* BUG */
	}
}

static void cancel(struct job *job)
{
	list_del(&job->node); /* BUG */
	pr_info("job %d cancelled\n", job->number);
}
