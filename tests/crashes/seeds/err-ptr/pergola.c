/* Two pergolas as platform devices; the second has the name of the first, and gets its vines all the same. */
#include <linux/platform_device.h>
#include "seed.h"

struct vines {
	unsigned int grapes;
	unsigned int leaves;
};

static struct platform_device *posts[2];
static struct vines vines[2];

static struct platform_device *pergola_post(int number)
{
	/* Counts from one, two to a side. */
	return platform_device_register_simple("pergola", (number + 1) / 2, NULL, 0);
}

static void pergola_plant(struct platform_device *post, struct vines *what)
{
	what->grapes = 40;
	platform_set_drvdata(post, what);
}

static int __init pergola_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(posts); i++) {
		posts[i] = pergola_post(i + 1);
		pergola_plant(posts[i], &vines[i]);
	}
	return 0;
}
module_init(pergola_init);
