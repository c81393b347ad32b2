/* A thread looks after each dog in a list below RCU; a dog that is given away is freed without a grace period. */
#include <linux/delay.h>
#include <linux/rculist.h>
#include "seed.h"

#define PAPERS 192

struct breed {
	unsigned int food;
};

struct dog {
	struct list_head list;
	char papers[120];
	const struct breed *breed;
};

static const struct breed beagle = { .food = 2 };
static LIST_HEAD(dogs);
static DEFINE_SPINLOCK(dogs_lock);
static unsigned int eaten;

static void dog_feed(const struct dog *dog)
{
	/* A dog takes its time. */
	mdelay(20);
	eaten += READ_ONCE(dog->breed)->food;
}

static int kennel_keeper(void *unused)
{
	const struct dog *dog;

	while (!kthread_should_stop()) {
		rcu_read_lock();
		list_for_each_entry_rcu(dog, &dogs, list)
			dog_feed(dog);
		rcu_read_unlock();
		msleep(1);
	}
	return 0;
}

static int dog_take(void)
{
	struct dog *dog = kzalloc(PAPERS, GFP_KERNEL);

	if (!dog)
		return -ENOMEM;
	dog->breed = &beagle;
	spin_lock(&dogs_lock);
	list_add_tail_rcu(&dog->list, &dogs);
	spin_unlock(&dogs_lock);
	return 0;
}

static void dog_give(struct dog *dog)
{
	spin_lock(&dogs_lock);
	list_del_rcu(&dog->list);
	spin_unlock(&dogs_lock);
	kfree(dog);
}

static int kennel_write_papers(char with)
{
	char *papers;
	int i;

	for (i = 0; i < 32; i++) {
		papers = kmalloc(PAPERS, GFP_KERNEL);
		if (!papers)
			return -ENOMEM;
		memset(papers, with, PAPERS);
	}
	return 0;
}

/* A number of dogs to come, or "0": all but one go, and their papers are written. */
static int kennel_set(const char *value, const struct kernel_param *param)
{
	unsigned int count;
	int error = kstrtouint(value, 0, &count);

	if (error)
		return error;
	while (count--) {
		error = dog_take();
		if (error)
			return error;
	}
	if (value[0] != '0')
		return 0;
	while (!list_empty(&dogs))
		dog_give(list_first_entry(&dogs, struct dog, list));
	return kennel_write_papers('P');
}

static const struct kernel_param_ops kennel_ops = { .set = kennel_set };
module_param_cb(dogs, &kennel_ops, NULL, 0200);

static int __init kennel_init(void)
{
	return PTR_ERR_OR_ZERO(kthread_run(kennel_keeper, NULL, "kennel"));
}
module_init(kennel_init);
