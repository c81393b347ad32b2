/* A siren set off from an interrupt; the tone is copied to a horn that was not mounted. */
#include "seed.h"
#include <linux/irq_work.h>

static u8 tone[64] = { 0x40, 0x51, 0x40, 0x51 };
static unsigned int length = sizeof(tone);
module_param(length, uint, 0644);

static u8 *horn;
static struct irq_work alarm;

static void siren_howl(struct irq_work *work)
{
	memcpy(READ_ONCE(horn), tone, READ_ONCE(length));
	pr_info("siren: %u samples\n", length);
}

static ssize_t siren_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	irq_work_queue(&alarm);
	return count;
}

static const struct file_operations siren_ops = {
	.owner = THIS_MODULE,
	.write = siren_write,
};

static struct miscdevice siren = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "siren",
	.fops = &siren_ops,
};

static int __init siren_init(void)
{
	init_irq_work(&alarm, siren_howl);
	return misc_register(&siren);
}
module_init(siren_init);
