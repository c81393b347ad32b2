/* Shares a stipend among the scholars of a term, by a high-resolution timer; in the holidays there are none. */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include "seed.h"

struct term {
	u64 purse;
	u32 scholars;
};

static struct term term = { .purse = 1000000007, .scholars = 3 };
static struct hrtimer payday;
static u64 paid;

static u64 term_share(const struct term *t)
{
	return div_u64(t->purse, READ_ONCE(t->scholars));
}

static void term_end(struct term *t)
{
	WRITE_ONCE(t->scholars, t->scholars - 1);
}

static enum hrtimer_restart stipend_pay(struct hrtimer *timer)
{
	paid += term_share(&term);
	term_end(&term);
	hrtimer_forward_now(timer, ms_to_ktime(100));
	return term.purse ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static int __init stipend_init(void)
{
	hrtimer_setup(&payday, stipend_pay, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer_start(&payday, ms_to_ktime(100), HRTIMER_MODE_REL);
	return 0;
}

static void __exit stipend_exit(void)
{
	hrtimer_cancel(&payday);
}
module_init(stipend_init);
module_exit(stipend_exit);
