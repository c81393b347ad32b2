/* A thread turns a wheel until the water is gone; nobody drains it, and the thread never lets go. */
#include "seed.h"

static int water = 1;

static int millwheel_turn(void *unused)
{
	unsigned long turns = 0;

	while (READ_ONCE(water)) {
		turns++;
		cpu_relax();
	}
	pr_info("millwheel: %lu turns\n", turns);
	return 0;
}

static int __init millwheel_init(void)
{
	return PTR_ERR_OR_ZERO(kthread_run(millwheel_turn, NULL, "millwheel"));
}
module_init(millwheel_init);
