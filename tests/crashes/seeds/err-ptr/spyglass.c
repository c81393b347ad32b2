/* A spyglass that reads what it sees from a register at intervals; whether it was mapped is asked of NULL. */
#include <linux/io.h>
#include <linux/platform_device.h>
#include "seed.h"

#define SEEN 0x10

struct spyglass {
	void __iomem *lens;
	struct timer_list look;
	u32 seen;
};

static void spyglass_look(struct timer_list *timer)
{
	struct spyglass *glass = timer_container_of(glass, timer, look);

	glass->seen = readl(glass->lens + SEEN);
	mod_timer(timer, jiffies + HZ);
}

static int spyglass_probe(struct platform_device *pdev)
{
	struct spyglass *glass = devm_kzalloc(&pdev->dev, sizeof(*glass), GFP_KERNEL);

	if (!glass)
		return -ENOMEM;
	glass->lens = devm_platform_ioremap_resource(pdev, 0);
	if (!glass->lens)
		return -ENXIO;
	timer_setup(&glass->look, spyglass_look, 0);
	mod_timer(&glass->look, jiffies + HZ / 4);
	return 0;
}

static struct platform_driver spyglass_driver = {
	.probe = spyglass_probe,
	.driver = { .name = "spyglass" },
};

static int __init spyglass_init(void)
{
	platform_device_register_simple("spyglass", -1, NULL, 0);
	return platform_driver_register(&spyglass_driver);
}
module_init(spyglass_init);
