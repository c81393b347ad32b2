/* A disk whose bricks are made when they are written; one that was never written is read as well. */
#include "seed.h"
#include <linux/blkdev.h>
#include <linux/xarray.h>

struct brick {
	unsigned long reads;
	u8 data[512];
};

static DEFINE_XARRAY(bricks);
static struct gendisk *hangar;
static int major;

static noinline void hangar_load(struct bio *bio)
{
	struct brick *brick = xa_load(&bricks, bio->bi_iter.bi_sector);

	brick->reads++;
	zero_fill_bio(bio);
	bio_endio(bio);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
static void hangar_submit(struct bio *bio)
{
	hangar_load(bio);
}
#else
static blk_qc_t hangar_submit(struct bio *bio)
{
	hangar_load(bio);
	return BLK_QC_T_NONE;
}
#endif

static const struct block_device_operations hangar_ops = {
	.owner = THIS_MODULE,
	.submit_bio = hangar_submit,
};

static struct gendisk *hangar_disk(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct gendisk *disk = blk_alloc_disk(NULL, NUMA_NO_NODE);

	return IS_ERR(disk) ? NULL : disk;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
	return blk_alloc_disk(NUMA_NO_NODE);
#else
	struct gendisk *disk = alloc_disk(1);

	if (disk)
		disk->queue = blk_alloc_queue(NUMA_NO_NODE);
	return disk;
#endif
}

static int __init hangar_init(void)
{
	major = register_blkdev(0, "hangar");
	hangar = hangar_disk();
	if (major < 0 || !hangar)
		return -ENOMEM;
	hangar->major = major;
	hangar->minors = 1;
	hangar->fops = &hangar_ops;
	strcpy(hangar->disk_name, "hangar");
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	if (add_disk(hangar))
		return -ENODEV;
#else
	add_disk(hangar);
#endif
	set_capacity(hangar, 2048);
	return 0;
}
module_init(hangar_init);
