/* What differs between the kernels that the seeds are built for. */
#ifndef SEED_H
#define SEED_H

#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete del_timer
#define timer_delete_sync del_timer_sync
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define hrtimer_setup(timer, called, clock, mode) \
	do { hrtimer_init(timer, clock, mode); (timer)->function = called; } while (0)
#endif

#ifndef timer_container_of /* since 6.16 */
#define timer_container_of(var, timer, field) container_of(timer, typeof(*var), field)
#endif

MODULE_LICENSE("GPL");

#endif
