/* A kiosk; each request is carried out by a function of its tariff, and one tariff lacks one. */
#include "seed.h"

struct tariff {
	int (*sell)(int price);
	int (*refund)(int price);
};

static int kiosk_sell(int price)
{
	return price / 100;
}

static struct tariff evening = {
	.sell = kiosk_sell,
};

static struct tariff *tariff = &evening;
static int till;

static long kiosk_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tariff *now = READ_ONCE(tariff);

	till += now->sell(250);
	till -= now->refund(250);
	return till;
}

static const struct file_operations kiosk_ops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = kiosk_ioctl,
};

static struct miscdevice kiosk = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kiosk",
	.fops = &kiosk_ops,
};
module_misc_device(kiosk);
