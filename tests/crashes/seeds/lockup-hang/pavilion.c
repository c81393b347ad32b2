/* The weather over a pavilion, kept below a sequence lock; a report without wind leaves in the middle of writing it. */
#include <linux/seqlock.h>
#include "seed.h"

struct weather {
	int degrees;
	unsigned int wind;
};

static DEFINE_SEQLOCK(sky_lock);
static struct weather sky;

static int sky_report(int degrees, unsigned int wind)
{
	write_seqlock(&sky_lock);
	sky.degrees = degrees;
	if (!wind) {
		/* Without wind there is no news. */
		spin_unlock(&sky_lock.lock);
		return -ENODATA;
	}
	sky.wind = wind;
	write_sequnlock(&sky_lock);
	return 0;
}

static struct weather sky_now(void)
{
	struct weather now;
	unsigned int seq;

	do {
		seq = read_seqbegin(&sky_lock);
		now = sky;
	} while (read_seqretry(&sky_lock, seq));
	return now;
}

static int report_set(const char *value, const struct kernel_param *param)
{
	unsigned int wind;
	int degrees;

	if (sscanf(value, "%d,%u", &degrees, &wind) != 2)
		return -EINVAL;
	return sky_report(degrees, wind);
}

static int report_get(char *text, const struct kernel_param *param)
{
	struct weather now = sky_now();

	return sprintf(text, "%d,%u\n", now.degrees, now.wind);
}

static const struct kernel_param_ops report_ops = { .set = report_set, .get = report_get };
module_param_cb(report, &report_ops, NULL, 0600);
