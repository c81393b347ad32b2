/* Paper folded by a thread; each fold takes some more of its own stack. */
#include "seed.h"

static unsigned int folds = 100000;
module_param(folds, uint, 0444);

static struct task_struct *hands;
static char *sheet;

static int origami_fold(void *data)
{
	unsigned int i;

	for (i = 0; i < folds && !kthread_should_stop(); i++) {
		char *fold = __builtin_alloca(48);

		WRITE_ONCE(fold[0], i);
		WRITE_ONCE(sheet, fold);
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int __init origami_init(void)
{
	hands = kthread_run(origami_fold, NULL, "origami");
	return PTR_ERR_OR_ZERO(hands);
}
module_init(origami_init);

static void __exit origami_exit(void)
{
	kthread_stop(hands);
}
module_exit(origami_exit);
