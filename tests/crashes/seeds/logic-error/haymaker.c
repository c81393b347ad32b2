/* Hay is made by work while the sun shines; when it does not, the work leaves early. */
#include "seed.h"

static DEFINE_SPINLOCK(meadow);
static unsigned int sun = 2, hay;

static void haymaker_mow(struct work_struct *work)
{
	spin_lock_bh(&meadow);
	if (!sun)
		return;
	sun--;
	hay++;
	spin_unlock_bh(&meadow);
	schedule_delayed_work(to_delayed_work(work), HZ / 10);
}

static DECLARE_DELAYED_WORK(mow, haymaker_mow);

static int __init haymaker_init(void)
{
	schedule_delayed_work(&mow, HZ / 10);
	return 0;
}
module_init(haymaker_init);
