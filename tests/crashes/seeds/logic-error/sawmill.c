/* A block device cut into tracks; a request over the end of a track, so its author says, cannot come. */
#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include "seed.h"

#define SECTORS 2048
#define TRACK 6

static struct blk_mq_tag_set tags;
static struct gendisk *disk;
static u8 *logs;
static int major;

static void *track_of(sector_t sector, unsigned int bytes)
{
	unsigned int at = (unsigned int)sector % TRACK;

	BUG_ON(at + (bytes >> SECTOR_SHIFT) > TRACK);
	return logs + (sector << SECTOR_SHIFT);
}

static void sawmill_cut(struct request *request)
{
	sector_t sector = blk_rq_pos(request);
	struct req_iterator iter;
	struct bio_vec bvec;

	rq_for_each_segment(bvec, request, iter) {
		char *page = kmap_atomic(bvec.bv_page) + bvec.bv_offset;
		void *track = track_of(sector, bvec.bv_len);

		if (rq_data_dir(request) == WRITE)
			memcpy(track, page, bvec.bv_len);
		else
			memcpy(page, track, bvec.bv_len);
		kunmap_atomic(page - bvec.bv_offset);
		sector += bvec.bv_len >> SECTOR_SHIFT;
	}
}

static blk_status_t sawmill_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data)
{
	blk_mq_start_request(data->rq);
	sawmill_cut(data->rq);
	blk_mq_end_request(data->rq, BLK_STS_OK);
	return BLK_STS_OK;
}

static const struct blk_mq_ops sawmill_mq = { .queue_rq = sawmill_queue_rq };

static const struct block_device_operations sawmill_ops = { .owner = THIS_MODULE };

static int sawmill_disk(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	disk = blk_mq_alloc_disk(&tags, NULL, NULL);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	disk = blk_mq_alloc_disk(&tags, NULL);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
#else
	disk = alloc_disk(1);
	if (!disk)
		return -ENOMEM;
	disk->queue = blk_mq_init_queue(&tags);
	if (IS_ERR(disk->queue))
		return PTR_ERR(disk->queue);
#endif
	disk->major = major;
	disk->first_minor = 0;
	disk->minors = 1;
	disk->fops = &sawmill_ops;
	strscpy(disk->disk_name, "sawmill", DISK_NAME_LEN);
	set_capacity(disk, SECTORS);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	return add_disk(disk);
#else
	add_disk(disk);
	return 0;
#endif
}

static int __init sawmill_init(void)
{
	int error;

	logs = kvzalloc(SECTORS << SECTOR_SHIFT, GFP_KERNEL);
	major = register_blkdev(0, "sawmill");
	if (!logs || major < 0)
		return -ENOMEM;
	tags.ops = &sawmill_mq;
	tags.nr_hw_queues = 1;
	tags.queue_depth = 16;
	tags.numa_node = NUMA_NO_NODE;
	tags.flags = BLK_MQ_F_BLOCKING;
	error = blk_mq_alloc_tag_set(&tags);
	return error ? error : sawmill_disk();
}
module_init(sawmill_init);
