/* A module whose checksum of a kernel function is that of another kernel. */
#include "seed.h"

static const struct {
	unsigned long crc;
	char name[64 - sizeof(unsigned long)];
} built_with __used __section("__versions") = { 0x1badd00d, "noop_llseek" };

static const struct file_operations gable_ops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static struct miscdevice gable = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "gable",
	.fops = &gable_ops,
};
module_misc_device(gable);
