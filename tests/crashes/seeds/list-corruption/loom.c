/* Two weavers put their threads on one list and take them off again; nobody took a lock for it. */
#include <linux/list.h>
#include "seed.h"

#define ROUNDS 20000000

static LIST_HEAD(warp);
static struct list_head threads[2];

static int loom_weave(void *data)
{
	struct list_head *thread = data;
	unsigned long i;

	for (i = 0; i < ROUNDS; i++) {
		list_add_tail(thread, &warp);
		list_del(thread);
		if (i % 1024 == 0)
			cond_resched();
	}
	return 0;
}

static int __init loom_init(void)
{
	struct task_struct *weaver;
	int i;

	for (i = 0; i < 2; i++) {
		weaver = kthread_create(loom_weave, &threads[i], "loom/%d", i);
		if (IS_ERR(weaver))
			return PTR_ERR(weaver);
		kthread_bind(weaver, i);
		wake_up_process(weaver);
	}
	return 0;
}
module_init(loom_init);
