/* Ages a harvest by one each grace period; removal does not wait for the callback that is left. */
#include <linux/rcupdate.h>
#include "seed.h"

static struct rcu_head *harvest;
static unsigned long age;

static void sickle_age(struct rcu_head *head)
{
	WRITE_ONCE(age, age + 1);
	call_rcu(head, sickle_age);
}

static int __init sickle_init(void)
{
	harvest = kmalloc(sizeof(*harvest), GFP_KERNEL);
	if (!harvest)
		return -ENOMEM;
	call_rcu(harvest, sickle_age);
	return 0;
}

static void __exit sickle_exit(void)
{
	pr_info("sickle: age %lu\n", READ_ONCE(age));
}
module_init(sickle_init);
module_exit(sickle_exit);
