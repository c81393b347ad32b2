/* A marquee that is raised by one work item and lowered by another. */
#include "seed.h"

struct pole {
	unsigned long height;
};

struct marquee {
	struct work_struct raise;
	struct delayed_work lower;
	struct pole *pole;
	char owner[120];
};

static struct pole pole;
static struct marquee *tent;

static void marquee_raise(struct work_struct *work)
{
	struct marquee *marquee = container_of(work, struct marquee, raise);

	marquee->pole->height = 4;
	schedule_delayed_work(&marquee->lower, HZ / 2);
}

static void marquee_lower(struct work_struct *work)
{
	struct marquee *marquee = container_of(work, struct marquee, raise);

	marquee->pole->height = 0;
}

static int __init marquee_init(void)
{
	tent = kzalloc(sizeof(*tent), GFP_KERNEL);
	if (!tent)
		return -ENOMEM;
	INIT_WORK(&tent->raise, marquee_raise);
	INIT_DELAYED_WORK(&tent->lower, marquee_lower);
	tent->pole = &pole;
	strscpy(tent->owner, "Property of the village choir, to be given back before Sunday",
		sizeof(tent->owner));
	schedule_work(&tent->raise);
	return 0;
}
module_init(marquee_init);
