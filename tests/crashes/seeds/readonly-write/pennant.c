/* A pennant hoisted by a thread, which cuts up the list of colours as it goes. */
#include "seed.h"

static char *colours = "red,white,blue";
module_param(colours, charp, 0444);

static struct task_struct *crew;
static int hoisted;

static int pennant_hoist(void *data)
{
	char *rest = data;
	const char *colour;

	while ((colour = strsep(&rest, ","))) {
		pr_info("pennant: %s\n", colour);
		hoisted++;
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return hoisted;
}

static int __init pennant_init(void)
{
	crew = kthread_run(pennant_hoist, colours, "pennant");
	return PTR_ERR_OR_ZERO(crew);
}
module_init(pennant_init);

static void __exit pennant_exit(void)
{
	kthread_stop(crew);
}
module_exit(pennant_exit);
